import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canOwnServices, SmClient } from '@tactus/testkit'
import { World } from '../chaos/world.ts'

const NS = 'urn:xmpp:mam:2'
const juliet = 'juliet@capulet.example'
const romeo = 'romeo@montague.example'

test('XEP-0313 §4: the router is killed between messages and the query, which finds them all', async (context) => {
  if (!canOwnServices(context)) return
  await using world = await World.start({ routers: 1 })
  await world.addUsers([juliet, romeo])
  const online = async (jid: string, door: number): Promise<SmClient> => {
    const login = { jid: `${jid}/balcony`, password: world.password, door }
    const client = await SmClient.managed(world.server, login)
    client.send('<presence/>')
    await client.settle()
    return client
  }
  const [hers, his] = [await online(juliet, 0), await online(romeo, 1)]
  const texts = Array.from({ length: 30 }, (_, n) => `${n}`)
  for (const text of texts)
    his.send(`<message to='${juliet}' type='chat' id='${text}'><body>${text}</body></message>`)
  // <presence/>, the request that settled, the messages: what is acknowledged is archived.
  await his.acknowledged(2 + texts.length)

  const [victim] = world.server.routers
  assert(victim)
  await victim.kill()
  world.server.forget(victim)
  hers.send(`<iq type='set' id='q'><query xmlns='${NS}'/></iq>`)
  await world.server.startRouter()

  const answer = await hers.take(({ id }) => id === 'q', 'the answer')
  const messages = hers.drain('message')
  const results = messages.flatMap((stanza) => stanza.child('result', NS) ?? [])
  const live = messages.filter((stanza) => !stanza.hasChild('result', NS))
  assert.equal(answer.child('fin', NS)?.attrs.complete, 'true')
  assert.deepEqual(
    results.map((result) =>
      result
        .getChild('forwarded', 'urn:xmpp:forward:0')
        ?.getChild('message', 'jabber:client')
        ?.getChildText('body'),
    ),
    texts,
  )
  assert.deepEqual(
    results.map(({ attrs }) => attrs.id),
    live.map((stanza) => stanza.child('stanza-id', 'urn:xmpp:sid:0')?.attrs.id),
  )
  assert.deepEqual(
    live.map(({ id }) => id),
    texts,
  )
})
