import assert from 'node:assert/strict'
import type { SmClient } from '@tactus/testkit'
import type { Stanza } from '@tactus/xml'
import { message, type Stage, stages } from './stage.ts'

const PUBSUB = 'http://jabber.org/protocol/pubsub'
const settings = { modules: { push: { interval: 3, patience: 2, pause: 1 } } }

const isNotification = (stanza: Stanza): boolean => stanza.hasChild('pubsub', PUBSUB)

/** How many messages a notification tells of. */
function count(notification: Stanza): string | undefined {
  const fields = notification
    .child('pubsub', PUBSUB)
    ?.getChild('publish')
    ?.getChild('item')
    ?.getChild('notification')
    ?.getChild('x', 'jabber:x:data')
    ?.getChildren('field')
  return fields?.find(({ attrs }) => attrs.var === 'message-count')?.getChildText('value') ?? ''
}

async function notified(service: SmClient): Promise<Stanza> {
  return await service.take(isNotification, 'a notification')
}

function confirm(service: SmClient, { id, from }: Stanza): void {
  service.send(`<iq type='result' id='${id}' to='${from}'/>`)
}

/** Juliet's phone, for which a push service is enabled, and Romeo at the other door. */
async function scene(stage: Stage): Promise<{
  readonly service: SmClient
  readonly phone: SmClient
  readonly romeo: SmClient
}> {
  const service = await stage.online('romeo', 1, 'service')
  const romeo = await stage.online('romeo', 1)
  const phone = await stage.online('juliet', 0)
  phone.send(
    `<iq type='set' id='e'><enable xmlns='urn:xmpp:push:0' jid='${service.jid}' node='n1'/></iq>`,
  )
  await phone.take(({ id, type }) => id === 'e' && type === 'result', 'the result')
  return { service, phone, romeo }
}

/** Romeo's room, where members who are away are woken; Juliet is one of them, and has left. */
async function openFor(room: string, romeo: SmClient, juliet: SmClient): Promise<void> {
  const NS_MUC = 'http://jabber.org/protocol/muc'
  const form = (type: string, fields: Readonly<Record<string, string>>): string =>
    `<x xmlns='jabber:x:data' type='submit'>${Object.entries({ FORM_TYPE: type, ...fields })
      .map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`)
      .join('')}</x>`
  const ask = async (client: SmClient, id: string, query: string): Promise<void> => {
    client.send(`<iq type='set' id='${id}' to='${room}'>${query}</iq>`)
    const answer = await client.take((stanza) => stanza.id === id, id)
    assert.equal(answer.type, 'result', String(answer))
  }
  romeo.send(`<presence to='${room}/romeo'><x xmlns='${NS_MUC}'/></presence>`)
  await romeo.take((stanza) => stanza.hasChild('subject', stanza.ns), 'the subject')
  const fields = { 'muc#roomconfig_persistentroom': '1', 'tactus#deliver_to_members': '1' }
  const config = form(`${NS_MUC}#roomconfig`, fields)
  await ask(romeo, 'open', `<query xmlns='${NS_MUC}#owner'>${config}</query>`)
  const nick = form(`${NS_MUC}#register`, { 'muc#register_roomnick': 'juliet' })
  await ask(juliet, 'register', `<query xmlns='jabber:iq:register'>${nick}</query>`)
}

stages(settings, (tell) => {
  tell('XEP-0357 §7: a device that waits to be resumed is not there', async (stage) => {
    const { service, phone, romeo } = await scene(stage)
    romeo.send(message(phone.jid, 'seen'))
    await phone.next('message')
    phone.acknowledge()
    await phone.settle()
    phone.drop()
    await phone.ended
    romeo.send(message(phone.jid, 'missed'))
    const first = await notified(service)
    assert.equal(count(first), '1')
    confirm(service, first)

    const again = await stage.back('juliet', 1)
    await again.takeOver(phone)
    await again.settle()
    assert.deepEqual(again.bodies(), ['missed'])
    romeo.send(message(phone.jid, 'heard'))
    await again.next('message')
    await romeo.settle(await stage.account('juliet'))
    await service.settle()
    assert.deepEqual(service.inbox.filter(isNotification), [])
  })

  tell('XEP-0357 §7: what a room says to a resource wakes its device', async (stage) => {
    const { service, phone, romeo } = await scene(stage)
    phone.drop()
    await phone.ended
    romeo.send(message(phone.jid, 'to all', 'groupchat'))
    assert.equal(count(await notified(service)), '1')
  })

  tell('XEP-0357 §7: what a lost connection did not bring is told of', async (stage) => {
    const { service, phone, romeo } = await scene(stage)
    phone.answers = false
    romeo.send(message(phone.jid, 'one') + message(phone.jid, 'two'))
    await phone.next('message')
    await phone.next('message')
    phone.drop()
    assert.equal(count(await notified(service)), '2')
  })
})

stages(
  settings,
  (tell) => {
    tell('design §3.2: what is to be told outlives the routers', async (stage) => {
      const { service, phone, romeo } = await scene(stage)
      phone.drop()
      await phone.ended
      romeo.send(message(phone.jid, 'one'))
      const first = await notified(service)
      confirm(service, first)
      // Too soon after the first to be told at once.
      romeo.send(message(phone.jid, 'two'))
      await romeo.settle(await stage.account('juliet'))
      const old = [...stage.server.routers]
      await stage.server.startRouter()
      await stage.server.startRouter()
      for (const router of old) {
        await router.kill()
        stage.server.forget(router)
      }
      const second = await notified(service)
      assert.equal(count(second), '2')
      // Nobody answers, and whoever asked may be gone: it is asked again.
      const third = await service.take(isNotification, 'it once more')
      assert.notEqual(third.id, second.id)
      assert.equal(count(third), '2')
    })

    tell(
      'design §3.3: a line in a room wakes a member who is away once, whatever router dies',
      async (stage) => {
        const { service, phone, romeo } = await scene(stage)
        const room = `crypt@conference.montague.example`
        await openFor(room, romeo, phone)
        phone.drop()
        await phone.ended
        const say = async (text: string) => {
          romeo.send(message(room, text, 'groupchat'))
          await romeo.take(({ type, id }) => type === 'groupchat' && id === text, text)
        }
        await say('one')
        const first = await notified(service)
        assert.equal(count(first), '1')
        confirm(service, first)
        const old = [...stage.server.routers]
        await stage.server.startRouter()
        for (const router of old) {
          romeo.send(message(room, `before ${old.indexOf(router)}`, 'groupchat'))
          await router.kill()
          stage.server.forget(router)
        }
        await say('two')
        // Whatever was told in between: all lines, and each once.
        const all = String(2 + old.length)
        for (;;) {
          const next = await notified(service)
          confirm(service, next)
          assert(Number(count(next)) <= Number(all), 'a line was told twice')
          if (count(next) === all) return
        }
      },
    )
  },
  ['cluster'],
)

stages(
  { modules: { push: { rooms: false } } },
  (tell) => {
    tell(
      '`rooms: false`: what a room says wakes nobody whom it does not mention',
      async (stage) => {
        const { service, phone, romeo } = await scene(stage)
        phone.drop()
        await phone.ended
        const mention = `<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:${await stage.account('juliet')}'/>`
        const toHer = message(phone.jid, 'to her', 'groupchat').replace(
          '</message>',
          `${mention}</message>`,
        )
        romeo.send(message(phone.jid, 'to all', 'groupchat') + toHer)
        assert.equal(count(await notified(service)), '1')
      },
    )
  },
  ['standalone'],
)
