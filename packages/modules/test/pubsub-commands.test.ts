import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import { publish, service, subscribe } from './pubsub/service-words.ts'
import { julietBalcony, NS, romeoHome } from './pubsub/words.ts'

const node = `news-${process.pid}`
const account = 'juliet@capulet.example'

story('an operator makes a node, looks at it, empties and deletes it', async (tale) => {
  const [juliet, romeo] = [await tale.online(julietBalcony), await tale.online(romeoHome)]
  const run = async (name: string, more = {}) =>
    (await tale.command(`pubsub ${name}`, { service, node, ...more })) as Record<string, unknown>
  assert.deepEqual(await run('create', { owner: account }), { node, owner: account })
  await assert.rejects(run('create', { owner: account }), /already/)
  await subscribe(romeo, node)
  for (const id of ['a', 'b']) await publish(juliet, node, id)
  await romeo.arrived(2)
  romeo.drain()

  const shown = await run('show')
  assert.equal(shown.items, 2)
  assert.deepEqual(shown.affiliations, [{ jid: account, affiliation: 'owner' }])
  const [subscription] = shown.subscriptions as readonly { readonly jid: string }[]
  assert.equal(subscription?.jid, romeo.account)
  assert.deepEqual((shown.options as Record<string, unknown>)['pubsub#access_model'], ['open'])
  const listed = (await run('items', { limit: 1 })).items as readonly Record<string, unknown>[]
  assert.deepEqual(
    listed.map(({ id, publisher }) => [id, publisher]),
    [['b', juliet.jid]],
  )
  const page = async (after: string) => {
    const found = await tale.command('pubsub list', { address: service, after, limit: 1 })
    return found as { readonly nodes: readonly { readonly node: string }[] }
  }
  assert.equal((await page(node.slice(0, -1))).nodes[0]?.node, node)
  assert.notEqual((await page(node)).nodes[0]?.node, node)

  assert.deepEqual(await run('purge'), { node, items: 2 })
  await run('delete')
  await romeo.arrived(2)
  const events = romeo.drain().map((each) => String(each.child('event', `${NS}#event`)))
  assert.match(events[0] ?? '', /<purge/)
  assert.match(events[1] ?? '', /<delete/)
  await assert.rejects(run('show'), /no node/)
  await assert.rejects(
    tale.command('pubsub show', { service: 'capulet.example', node }),
    /no pubsub service/,
  )
})
