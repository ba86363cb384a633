import assert from 'node:assert/strict'
import type { SmClient } from '@tactus/testkit'
import { message, type Stage, stages } from './stage.ts'

const NS_DELAY = 'urn:xmpp:delay'

/** Juliet's session, good for one second, in which she acknowledges nothing; and Romeo, who sees her presence. */
async function forgetful(stage: Stage): Promise<[SmClient, SmClient]> {
  await stage.befriend('juliet', 'romeo')
  const romeo = await stage.online('romeo', 1)
  const juliet = await stage.bound('juliet')
  await juliet.enable("resume='true' max='1'")
  juliet.answers = false
  juliet.send('<presence/>')
  await juliet.settle()
  await isHere(romeo, juliet)
  romeo.drain('presence')
  return [juliet, romeo]
}

async function isHere(romeo: SmClient, { jid }: SmClient): Promise<void> {
  await romeo.take(({ from, type }) => from === jid && type === undefined, 'that she is here')
}

async function isGone(romeo: SmClient, { jid }: SmClient): Promise<void> {
  await romeo.take(({ from, type }) => from === jid && type === 'unavailable', 'that she is gone')
}

/** The id of a lost session is good for nothing. */
async function isRevoked(stage: Stage, { id, handled }: SmClient, name: string): Promise<void> {
  const late = await stage.back(name)
  const failed = await late.resume(id, handled)
  assert.equal(failed.children[0]?.name, 'item-not-found')
  late.drop()
}

const delays = (stanza: {
  readonly element: {
    getChildren(name: string, ns: string): { attrs: Record<string, string | undefined> }[]
  }
}): (string | undefined)[] =>
  stanza.element.getChildren('delay', NS_DELAY).map(({ attrs }) => attrs.from)

stages({ limits: { rates: 'off', sendQueue: { stanzas: 200, bytes: '64KiB' } } }, (tell) => {
  tell(
    '§4, C15, C16: what was not acknowledged is in the mailbox once, with its time',
    async (stage) => {
      const [juliet, romeo] = await forgetful(stage)
      romeo.send(message(juliet.jid, 'sent live'))
      await juliet.next('message')
      juliet.drop()
      await juliet.ended
      romeo.send(message(juliet.jid, 'sent later', 'normal'))
      await isGone(romeo, juliet)
      const next = await stage.managed('juliet', 1)
      next.send('<presence/>')
      const [first, second] = [await next.next('message'), await next.next('message')]
      assert.deepEqual([first.id, second.id], ['sent live', 'sent later'])
      for (const waited of [first, second]) assert.deepEqual(delays(waited), ['capulet.example'])
      await next.settle()
      next.acknowledge()
      await next.settle()
      assert.deepEqual(next.bodies(), [])
      await next.close()
      const third = await stage.managed('juliet')
      third.send('<presence/>')
      await third.settle()
      assert.deepEqual(third.bodies(), [])
      assert.deepEqual(romeo.drain('message'), [])
    },
  )

  tell(
    '§4, C15: a request that was not answered is, with an error, and the rest is dropped',
    async (stage) => {
      const [juliet, romeo] = await forgetful(stage)
      juliet.drop()
      await juliet.ended
      const payload = `<q xmlns='urn:example:q'/>`
      romeo.send(`<iq type='get' to='${juliet.jid}' id='get'>${payload}</iq>`)
      romeo.send(`<iq type='set' to='${juliet.jid}' id='set'>${payload}</iq>`)
      romeo.send(`<iq type='result' to='${juliet.jid}' id='result'/>`)
      romeo.send(message(juliet.jid, 'groupchat', 'groupchat'))
      romeo.send(message(juliet.jid, 'headline', 'headline'))
      romeo.send(message(juliet.jid, 'error', 'error'))
      romeo.send(`<presence to='${juliet.jid}'/>`)
      await isGone(romeo, juliet)
      await romeo.settle(await stage.account('juliet'))
      await romeo.settle()
      const answers = romeo
        .drain('iq')
        .map(({ id, type, element }) => [
          id,
          type,
          element.getChild('error')?.getChildElements()[0]?.name,
        ])
      assert.deepEqual(answers, [
        ['get', 'error', 'service-unavailable'],
        ['set', 'error', 'service-unavailable'],
      ])
      assert.deepEqual(romeo.drain('message').map(String), [])
      const next = await stage.managed('juliet', 1)
      next.send('<presence/>')
      await next.settle()
      assert.deepEqual(next.bodies(), [])
    },
  )

  tell(
    '§4, C15, C16: another resource gets what was not acknowledged, once, with its time',
    async (stage) => {
      const [juliet, romeo] = await forgetful(stage)
      juliet.drop()
      await juliet.ended
      const garden = await stage.managed('juliet', 1, 'garden')
      garden.send('<presence><priority>-1</priority></presence>')
      await garden.settle()
      romeo.send(message(juliet.jid, 'once'))
      await romeo.settle(await stage.account('juliet'))
      garden.send('<presence><priority>1</priority></presence>')
      const got = await garden.take(
        ({ id, type }) => id === 'once' && type === 'chat',
        'the message',
      )
      assert.deepEqual(delays(got), ['capulet.example'])
      await isGone(romeo, juliet)
      await garden.settle()
      assert.deepEqual(garden.bodies(), [])
      assert.deepEqual(romeo.drain('message'), [])
    },
  )

  tell(
    'C18: a session that fills its queue while it waits ends, and no message is lost',
    async (stage) => {
      const [juliet, romeo] = await lasting(stage)
      juliet.drop()
      await juliet.ended
      const texts = Array.from({ length: 250 }, (_, n) => `${n}`)
      for (const text of texts) romeo.send(message(juliet.jid, text))
      await isGone(romeo, juliet)
      await isRevoked(stage, juliet, 'juliet')
      await romeo.settle(await stage.account('juliet'))
      assert.deepEqual(await all(stage, texts.length), texts)
    },
  )

  tell('C18: so does one by its bytes', async (stage) => {
    const [juliet, romeo] = await lasting(stage)
    juliet.drop()
    await juliet.ended
    const texts = Array.from({ length: 20 }, (_, n) => `${n} ${'x'.repeat(5_000)}`)
    for (const text of texts) romeo.send(message(juliet.jid, text))
    await isGone(romeo, juliet)
    await romeo.settle(await stage.account('juliet'))
    assert.deepEqual(await all(stage, texts.length), texts)
  })

  tell(
    'C18: so does one whose client reads and acknowledges nothing, at ten times as much',
    async (stage) => {
      const [juliet, romeo] = await lasting(stage)
      const texts = Array.from({ length: 2_050 }, (_, n) => `${n}`)
      for (const text of texts) romeo.send(message(juliet.jid, text))
      assert.equal(await juliet.ended, 'policy-violation')
      await isGone(romeo, juliet)
      await romeo.settle(await stage.account('juliet'))
      // XEP-0160 §2: what the mailbox had no room for was sent back.
      const back = new Set(romeo.drain('message').map(({ id }) => id))
      const kept = texts.filter((text) => !back.has(text))
      assert(kept.length > 1_900)
      assert.deepEqual(await all(stage, kept.length), kept)
    },
  )

  tell('§8, C21: an orderly close ends the session at once', async (stage) => {
    const [juliet, romeo] = await lasting(stage)
    romeo.send(message(juliet.jid, 'not acknowledged'))
    await juliet.next('message')
    await juliet.close()
    await isGone(romeo, juliet)
    await isRevoked(stage, juliet, 'juliet')
    assert.deepEqual(await all(stage, 1), ['not acknowledged'])
  })

  tell('§8, C21: a lost connection does not end it, and nobody is told', async (stage) => {
    const [juliet, romeo] = await lasting(stage)
    juliet.drop()
    await juliet.ended
    const again = await stage.back('juliet')
    await again.takeOver(juliet)
    await again.settle(await stage.account('romeo'))
    await romeo.settle()
    assert.deepEqual(romeo.drain('presence'), [])
  })

  tell('C23: another password revokes what was enabled with the old one', async (stage) => {
    const [juliet, romeo] = await lasting(stage)
    juliet.drop()
    await juliet.ended
    const jid = await stage.account('juliet')
    // To the same one: the client can still log in, and must bind anew all the same.
    await stage.server.command('user passwd', { jid, password: 'wherefore' })
    await isGone(romeo, juliet)
    await isRevoked(stage, juliet, 'juliet')
  })

  tell('C23: who is kicked cannot resume', async (stage) => {
    const [juliet, romeo] = await lasting(stage)
    await stage.server.command('session kick', { jid: juliet.jid })
    assert.equal(await juliet.ended, 'policy-violation')
    await isGone(romeo, juliet)
    await isRevoked(stage, juliet, 'juliet')
  })

  tell(
    'C23: a deleted account leaves nothing to resume, to nobody of the same name',
    async (stage) => {
      const [juliet] = await lasting(stage)
      juliet.drop()
      await juliet.ended
      const jid = await stage.account('juliet')
      await stage.server.command('user delete', { jid })
      await stage.server.addUser(jid, 'wherefore')
      await isRevoked(stage, juliet, 'juliet')
    },
  )
})

/** {@link forgetful}, but the session waits long. */
async function lasting(stage: Stage): Promise<[SmClient, SmClient]> {
  await stage.befriend('juliet', 'romeo')
  const romeo = await stage.online('romeo', 1)
  const juliet = await stage.managed('juliet')
  juliet.answers = false
  juliet.send('<presence/>')
  await juliet.settle()
  await isHere(romeo, juliet)
  romeo.drain('presence')
  return [juliet, romeo]
}

/** The bodies of so many messages that wait for Juliet, and of those that should not. */
async function all(stage: Stage, count: number): Promise<(string | undefined)[]> {
  const next = await stage.managed('juliet', 1)
  next.send('<presence/>')
  const bodies: (string | undefined)[] = []
  while (bodies.length < count)
    bodies.push((await next.next('message')).child('body', 'jabber:client')?.text())
  await next.settle()
  return [...bodies, ...next.bodies()]
}
