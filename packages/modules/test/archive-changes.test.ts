import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import type { XmlElement } from '@tactus/xml'
import { bodiesOf, lovers, messageOf, NS, query, say } from './archive-client.ts'

const NS_RETRACT = 'urn:xmpp:message-retract:1'
const fullText = '{urn:xmpp:fulltext:0}fulltext'
let changes = 0

async function retract(from: Client, to: string, original: string): Promise<void> {
  await from.send`<message type='chat' to='${to}' id='gone-${original}'><retract id='${original}' xmlns='${NS_RETRACT}'/><body>retracted</body><store xmlns='urn:xmpp:hints'/></message>`
}

const tombstoneIn = (result: XmlElement | undefined): XmlElement | undefined =>
  result && messageOf(result).getChild('retracted', NS_RETRACT)

/** Sets preferences; answers those in force, or the error. */
async function prefer(client: Client, mode: string, lists = ''): Promise<string> {
  changes += 1
  const id = `p${changes}`
  await client.send`<iq type='set' id='${id}'><prefs xmlns='${NS}' default='${mode}'>${lists}</prefs></iq>`
  const answer = await client.hears(id)
  return String(answer.getChild('prefs', NS) ?? answer.getChild('error')).replaceAll('"', "'")
}

const listed = (name: string, ...jids: readonly string[]): string =>
  `<${name}>${jids.map((jid) => `<jid>${jid}</jid>`).join('')}</${name}>`

story(
  'XEP-0424 §4: what is retracted is replaced by a tombstone, in both archives',
  async (tale) => {
    const [romeo, juliet] = await lovers(tale)
    await say(romeo, juliet.account, 'wrong', 'right')
    const before = await query(juliet)
    await retract(romeo, juliet.account, 'wrong')

    for (const client of [romeo, juliet]) {
      const { results, ids, bodies } = await query(client)
      assert.deepEqual(bodies, ['', 'right', 'retracted'])
      assert.deepEqual(ids.slice(0, 2), before.ids)
      const [first] = results
      assert(first)
      const { id, from, to, type } = messageOf(first).attrs
      assert.deepEqual([id, from, to, type], ['wrong', romeo.jid, juliet.account, 'chat'])
      const tombstone = tombstoneIn(first)
      assert.equal(tombstone?.attrs.id, 'gone-wrong')
      assert.match(tombstone?.attrs.stamp ?? '', /Z$/)
      assert.ok(!String(first).includes('<body>'))
      assert.deepEqual((await query(client, { [fullText]: 'wrong' })).ids, [])
    }
  },
)

story('XEP-0424 §5: nobody retracts what somebody else said', async (tale) => {
  const [romeo, juliet] = await lovers(tale)
  const tybalt = await tale.online('tybalt@capulet.example/street')
  await say(romeo, juliet.account, 'hers to read')
  await retract(tybalt, juliet.account, 'hers to read')
  await retract(juliet, romeo.account, 'hers to read')

  assert.deepEqual((await bodiesOf(juliet))[0], 'hers to read')
  assert.deepEqual((await bodiesOf(romeo))[0], 'hers to read')
})

story(
  'XEP-0424 §4: a tombstone names the first retraction, and is not retracted again',
  async (tale) => {
    const [romeo, juliet] = await lovers(tale)
    await say(romeo, juliet.account, 'wrong')
    await retract(romeo, juliet.account, 'wrong')
    await romeo.send`<message type='chat' to='${juliet.account}' id='again'><retract id='wrong' xmlns='${NS_RETRACT}'/></message>`

    const { results } = await query(juliet)
    assert.equal(results.length, 3)
    assert.equal(tombstoneIn(results[0])?.attrs.id, 'gone-wrong')
  },
)

story(
  'XEP-0424 §3: another resource of the sender retracts as well, and the newest of a name goes',
  async (tale) => {
    const [romeo, juliet] = await lovers(tale)
    const field = await tale.online('romeo@montague.example/field')
    await say(romeo, juliet.account, 'twice', 'twice')
    await retract(field, juliet.account, 'twice')

    assert.deepEqual(await bodiesOf(juliet), ['twice', '', 'retracted'])
  },
)

story(
  'XEP-0431 §3: all words have to be in a message, in whatever order and case',
  async (tale) => {
    const [romeo, juliet] = await lovers(tale)
    await say(
      romeo,
      juliet.account,
      'But soft, what light',
      'soft',
      'It is the east',
      'LIGHT! soft.',
    )
    await say(juliet, romeo.account, 'soft and light of mine')
    juliet.drain()

    const found = async (text: string, rest = {}) =>
      (await query(juliet, { [fullText]: text, ...rest })).bodies
    assert.deepEqual(await found('soft light'), [
      'But soft, what light',
      'LIGHT! soft.',
      'soft and light of mine',
    ])
    assert.deepEqual(await found('East'), ['It is the east'])
    assert.deepEqual(await found('west'), [])
    assert.deepEqual(await found('soft', { with: 'nurse@capulet.example' }), [])
    const last = await query(juliet, { [fullText]: 'soft' }, { rsm: '<max>1</max><before/>' })
    assert.deepEqual([last.bodies, last.complete], [['soft and light of mine'], false])
    assert.equal((await query(juliet, { [fullText]: '...' })).error, 'bad-request')
    assert.equal((await query(juliet, { [fullText]: '' })).bodies.length, 5)
  },
)

story('XEP-0441 §2: preferences are told and kept', async (tale) => {
  const [, juliet] = await lovers(tale)
  await juliet.send`<iq type='get' id='get'><prefs xmlns='${NS}'/></iq>`
  const initial = (await juliet.hears('get')).getChild('prefs', NS)
  assert.equal(
    String(initial).replaceAll('"', "'"),
    `<prefs xmlns='${NS}' default='always'><always/><never/></prefs>`,
  )

  const lists =
    listed('always', 'Romeo@montague.example') + listed('never', 'tybalt@capulet.example/street')
  const kept = `<prefs xmlns='${NS}' default='roster'><always><jid>romeo@montague.example</jid></always><never><jid>tybalt@capulet.example/street</jid></never></prefs>`
  assert.equal(await prefer(juliet, 'roster', lists), kept)
  await juliet.send`<iq type='get' id='again'><prefs xmlns='${NS}'/></iq>`
  const again = (await juliet.hears('again')).getChild('prefs', NS)
  assert.equal(String(again).replaceAll('"', "'"), kept)

  assert.match(await prefer(juliet, 'sometimes'), /bad-request/)
  assert.match(await prefer(juliet, 'always', listed('never', 'a@b@c')), /jid-malformed/)
})

story('XEP-0441 §2.1: all, none, or those in the roster', async (tale) => {
  const [romeo, juliet] = await lovers(tale)
  const tybalt = await tale.online('tybalt@capulet.example/street')
  await tale.befriend(juliet, romeo)
  const talk = async (text: string) => {
    for (const client of [romeo, tybalt]) await say(client, juliet.account, text)
    for (const client of [romeo, tybalt]) await say(juliet, client.account, `${text}!`)
    juliet.drain()
  }
  await prefer(juliet, 'never')
  await talk('never')
  assert.deepEqual(await bodiesOf(juliet), [])
  await prefer(juliet, 'roster')
  await talk('roster')
  assert.deepEqual(await bodiesOf(juliet), ['roster', 'roster!'])
  assert.equal((await bodiesOf(romeo)).length, 4)
})

story('XEP-0441 §2.2, §2.3: always and never, bare or with a resource', async (tale) => {
  const [romeo, juliet] = await lovers(tale)
  const field = await tale.online('romeo@montague.example/field')
  const nurse = await tale.online('nurse@capulet.example/kitchen')
  await prefer(juliet, 'never', listed('always', romeo.account) + listed('never', field.jid))
  for (const client of [romeo, field, nurse]) await say(client, juliet.account, client.jid)
  await say(juliet, romeo.account, 'to romeo')
  await say(juliet, field.jid, 'to the field')
  juliet.drain()

  assert.deepEqual(await bodiesOf(juliet), [romeo.jid, 'to romeo'])
})

story(
  'XEP-0441 §2: the host says what holds where nothing is preferred, and how long lists are',
  { modules: { archive: { default: 'never', addresses: 1 } } },
  async (tale) => {
    const [romeo, juliet] = await lovers(tale)
    await say(romeo, juliet.account, 'one')
    assert.match(
      await prefer(juliet, 'always', listed('never', 'a@b.example', 'c@d.example')),
      /resource-constraint/,
    )
    await prefer(juliet, 'always')
    await say(romeo, juliet.account, 'two')
    assert.deepEqual(await bodiesOf(juliet), ['two'])
  },
)
