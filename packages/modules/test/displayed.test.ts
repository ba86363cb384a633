import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import {
  comesWith,
  event,
  idsOf,
  item,
  items,
  juliet,
  julietBalcony,
  publish,
  romeoHome,
  software,
} from './pubsub/words.ts'

const NS = 'urn:xmpp:mds:displayed:0'
const romeo = 'romeo@montague.example'
const marker = "<displayed xmlns='urn:xmpp:chat-markers:0' id='the-msg-1'/>"
const displayed = (id: string) =>
  `<displayed xmlns='${NS}'><stanza-id xmlns='urn:xmpp:sid:0' by='${juliet}' id='${id}'/></displayed>`

story(
  'XEP-0490 §4.3: a marker tells the own devices, and its recipient learns no more than before',
  async ({ online, connect }) => {
    const balcony = await online(julietBalcony)
    const chamber = await connect('juliet@capulet.example/chamber')
    const home = await online(romeoHome)
    await comesWith(chamber, software(NS))
    for (const client of [balcony, chamber]) client.drain()

    await balcony.send`<message to='${romeo}' type='chat'>${marker}${displayed('0423')}</message>`

    home.receives`<message from='${balcony.jid}' to='${romeo}' type='chat'>${marker}<stanza-id xmlns='urn:xmpp:sid:0' id='{any}' by='${romeo}'/></message>`
    chamber.receives`${event(chamber.jid, `<items node='${NS}'>${item(romeo, displayed('0423'))}</items>`)}`
    assert.deepEqual(idsOf(await items(balcony, NS)), [romeo])
    assert.equal(await items(home, NS), 'auth: not-authorized presence-subscription-required')
  },
)

story('XEP-0490 §4.3: one item a chat, the last word counts', async ({ online }) => {
  const balcony = await online(julietBalcony)
  await online(romeoHome)

  await publish(balcony, NS, item('room@conference.example', displayed('1')))
  for (const id of ['2', '3'])
    await balcony.send`<message to='${romeo}' type='chat'>${marker}${displayed(id)}</message>`

  const answer = await items(balcony, NS)
  assert.deepEqual(idsOf(answer), [romeo, 'room@conference.example'])
  assert.ok(answer.includes(displayed('3')))
})
