import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import {
  ask,
  comesWith,
  create,
  item,
  juliet,
  julietBalcony,
  pubsub,
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
