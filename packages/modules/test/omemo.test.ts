import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import { idsOf, item, items, julietBalcony, options, publish, romeoHome } from './pubsub/words.ts'

const OLD = 'eu.siacs.conversations.axolotl'
const list = `<list xmlns='${OLD}'><device id='4223'/></list>`
const bundle = `<bundle xmlns='${OLD}'><identityKey>QQ==</identityKey></bundle>`
const bundles = 'urn:xmpp:omemo:2:bundles'
const newBundle = "<bundle xmlns='urn:xmpp:omemo:2'><ik>QQ==</ik></bundle>"

for (const [client, wishes] of [
  ['Dino', { access_model: 'open' }],
  ['Gajim', { access_model: 'open', persist_items: 'true' }],
  ['a client that wishes nothing', {}],
] as const)
  story(`XEP-0384 §4.2: keys of ${client} are there for strangers`, async ({ online }) => {
    const juliet = await online(julietBalcony)
    const stranger = await online(romeoHome)
    const open = options({ access_model: 'open' })

    for (const [node, content, extra] of [
      [`${OLD}.devicelist`, list, options(wishes)],
      [`${OLD}.devicelist`, list, options(wishes)],
      [`${OLD}.bundles:4223`, bundle, open],
    ] as const)
      assert.match(await publish(juliet, node, item('current', content), extra), /^<pubsub/)

    assert.deepEqual(idsOf(await items(stranger, `${OLD}.devicelist`)), ['current'])
    assert.ok((await items(stranger, `${OLD}.bundles:4223`)).includes(bundle))
  })

story(
  'XEP-0384 §5.3.2: one bundle for each device, and as many as there are',
  async ({ online }) => {
    const juliet = await online(julietBalcony)
    const stranger = await online(romeoHome)
    const wishes = options({ access_model: 'open', max_items: 'max' })

    for (const device of ['1', '2', '3'])
      assert.match(await publish(juliet, bundles, item(device, newBundle), wishes), /^<pubsub/)

    assert.deepEqual(idsOf(await items(stranger, bundles, '', item('2'))), ['2'])
    assert.deepEqual(idsOf(await items(stranger, bundles)), ['3', '2', '1'])
  },
)
