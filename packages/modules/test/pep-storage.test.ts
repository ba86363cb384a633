import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import {
  ask,
  comesAndHears,
  comesWith,
  idsOf,
  item,
  items,
  juliet,
  julietBalcony,
  options,
  publish,
  romeoHome,
  software,
} from './pubsub/words.ts'

const [KEYS, NOTES] = ['urn:xmpp:tmp:pubkey', 'urn:example:notes']
const payload = "<key xmlns='urn:xmpp:tmp:pubkey'/>"
const forGood = { persist_items: 'true', send_last_published_item: 'never' }
const forMyself = { persist_items: 'true', access_model: 'whitelist' }

story(
  'XEP-0222 §2, §3: objects are kept under the wishes they came with, and are not sent to who comes',
  async ({ online, connect, befriend }) => {
    const balcony = await online(julietBalcony)
    const romeo = await online(romeoHome)
    const orchard = await connect('romeo@montague.example/orchard')
    await befriend(balcony, romeo)

    for (const id of ['one', 'two'])
      await publish(balcony, KEYS, item(id, payload), options({ ...forGood, max_items: 'max' }))
    await publish(balcony, 'other', item('1', payload))

    assert.deepEqual(idsOf(await items(romeo, KEYS)).toSorted(), ['one', 'two'])
    const heard = await comesAndHears(orchard, software(KEYS, 'other'), 1)
    assert.equal(heard.length, 1)
    assert.match(heard[0] ?? '', /node='other'/)
  },
)

story(
  'XEP-0223 §2, §3: what is for the account alone comes to all of its resources and to nobody else',
  async ({ online, connect, befriend }) => {
    const balcony = await online(julietBalcony)
    const chamber = await connect('juliet@capulet.example/chamber')
    const romeo = await connect(romeoHome)
    await comesWith(chamber, software(NOTES))
    await comesWith(romeo, software(NOTES))
    await befriend(balcony, romeo)
    for (const client of [chamber, romeo]) client.drain()

    await publish(balcony, NOTES, item('1', payload), options(forMyself))

    await chamber.arrived(1)
    assert.match(String(chamber.drain()[0]), /node='urn:example:notes'.*<key/)
    await romeo.receivesNothing()
    assert.equal(await items(romeo, NOTES), 'cancel: not-allowed closed-node')
    const list = "<query xmlns='http://jabber.org/protocol/disco#items'/>"
    assert.ok(!(await ask(romeo, 'get', list, juliet)).includes(NOTES))
  },
)

story(
  'XEP-0223 §3, XEP-0060 §7.1.5: nothing private is put where others can read it',
  async ({ online }) => {
    const balcony = await online(julietBalcony)
    await publish(balcony, NOTES, item('1', payload), options({ access_model: 'open' }))

    assert.equal(
      await publish(balcony, NOTES, item('2', payload), options(forMyself)),
      'cancel: conflict precondition-not-met',
    )
    assert.deepEqual(idsOf(await items(balcony, NOTES)), ['1'])
  },
)

for (const xep of ['XEP-0222 §5', 'XEP-0223 §5'])
  story(`${xep}: support is told by an identity and a feature`, async ({ connect }) => {
    const balcony = await connect(julietBalcony)
    const info = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    const told = await ask(balcony, 'get', info)
    assert.match(told, /<identity category='pubsub' type='pep'\/>/)
    for (const feature of ['publish-options', 'auto-create', 'persistent-items'])
      assert.ok(told.includes(`'http://jabber.org/protocol/pubsub#${feature}'`), feature)
  })
