import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import {
  ask,
  comesWith,
  create,
  event,
  item,
  juliet,
  julietBalcony,
  publish,
  pubsub,
  replyTo,
  romeoHome,
  software,
  TUNE,
  tune,
} from './pubsub/words.ts'

story(
  'XEP-0163 §4.3.2: who has subscribed and wants to know all the same is told once',
  async ({ online, connect, befriend }) => {
    const balcony = await online(julietBalcony)
    const romeo = await connect(romeoHome)
    await comesWith(romeo, software(TUNE))
    await comesWith(balcony, software(TUNE))
    await befriend(balcony, romeo)
    await create(balcony, TUNE, { access_model: 'presence' })
    for (const client of [romeo, balcony])
      await ask(
        client,
        'set',
        pubsub(`<subscribe node='${TUNE}' jid='${client.account}'/>`),
        juliet,
      )
    for (const client of [romeo, balcony]) client.drain()

    const publication = `<publish node='${TUNE}'>${item('current', tune('a'))}</publish>`
    await balcony.send`<iq type='set' id='p'>${pubsub(publication)}</iq>`

    for (const [client, count] of [
      [romeo, 1],
      [balcony, 2],
    ] as const) {
      await client.arrived(count)
      const messages = client.drain().filter(({ name }) => name === 'message')
      assert.equal(messages.length, 1, client.jid)
      await client.receivesNothing()
    }
  },
)

story(
  'XEP-0163 §4.3.1: subscribers who see the presence learn which resource published, others do not',
  async ({ online, befriend }) => {
    const [balcony, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const paris = await online('paris@capulet.example/church')
    await befriend(balcony, romeo)
    await create(balcony, TUNE, { access_model: 'open' })
    for (const client of [romeo, paris])
      await ask(
        client,
        'set',
        pubsub(`<subscribe node='${TUNE}' jid='${client.account}'/>`),
        juliet,
      )
    for (const client of [romeo, paris]) client.drain()

    await publish(balcony, TUNE, item('current', tune('a')))

    const heard = (to: Client, rest: string) =>
      event(to.account, `<items node='${TUNE}'>${item('current', tune('a'))}</items>`, {
        rest: `${rest}<stanza-id xmlns='urn:xmpp:sid:0' id='{any}' by='${to.account}'/>`,
      })
    for (const client of [romeo, paris]) await client.arrived(1)
    romeo.receives`${heard(romeo, replyTo(balcony.jid))}`
    paris.receives`${heard(paris, '')}`
  },
)
