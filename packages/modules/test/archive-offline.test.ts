import assert from 'node:assert/strict'
import { type Client, type Story, story } from '@tactus/testkit'
import { query, say } from './archive-client.ts'

const bodiesHeard = (client: Client): readonly (string | undefined)[] =>
  client
    .drain()
    .filter(({ name }) => name === 'message')
    .map((message) => message.child('body', 'jabber:client')?.text())

/** Juliet has an account and is away; Romeo says so much to her. */
async function away({ connect, online }: Story, ...texts: readonly string[]): Promise<void> {
  const romeo = await online('romeo@montague.example/orchard')
  const juliet = await connect('juliet@capulet.example/balcony')
  await juliet.close()
  await say(romeo, 'juliet@capulet.example', ...texts)
}

story('XEP-0313 §6.1: what was found in the archive is not handed over again', async (tale) => {
  await away(tale, '1', '2', '3')
  const juliet = await tale.connect('juliet@capulet.example/balcony')
  assert.deepEqual((await query(juliet)).bodies, ['1', '2', '3'])
  await juliet.send`<presence/>`
  assert.deepEqual(bodiesHeard(juliet), [])
})

story('XEP-0160 §3: what was not found in the archive is handed over', async (tale) => {
  await away(tale, '1', '2', '3')
  const juliet = await tale.connect('juliet@capulet.example/balcony')
  const page = await query(juliet, {}, { rsm: '<max>1</max><before/>' })
  assert.deepEqual(page.bodies, ['3'])

  await juliet.send`<presence/>`
  assert.deepEqual(bodiesHeard(juliet), ['1', '2'])
})

story(
  'RFC 6121 §8.5.2.1.1: a resource with negative priority takes nothing from the others',
  async (tale) => {
    await away(tale, '1', '2')
    const bot = await tale.connect('juliet@capulet.example/bot')
    await bot.send`<presence><priority>-1</priority></presence>`
    bot.drain()
    assert.deepEqual((await query(bot)).bodies, ['1', '2'])

    const juliet = await tale.connect('juliet@capulet.example/balcony')
    await juliet.send`<presence/>`
    assert.deepEqual(bodiesHeard(juliet), ['1', '2'])
  },
)

story(
  'XEP-0313 §6.1: nor to another resource, once the copy was acknowledged',
  { memoryOnly: 'nobody sees when an acknowledgement is handled' },
  async (tale) => {
    await away(tale, '1', '2', '3')
    const juliet = await tale.connect('juliet@capulet.example/balcony')
    assert.deepEqual((await query(juliet)).bodies, ['1', '2', '3'])
    const chamber = await tale.connect('juliet@capulet.example/chamber')
    await chamber.send`<presence/>`
    assert.deepEqual(bodiesHeard(chamber), [])
    assert.deepEqual((await query(chamber)).bodies, ['1', '2', '3'])
  },
)
