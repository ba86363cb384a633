import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { BoshClient, clusterServices, hasClients, TestServer } from '@tactus/testkit'
import { Haproxy } from './haproxy.ts'

const password = 'wherefore'
const count = 60

/** Sends numbered messages, a few at a time, each when the one before has been given away. */
async function speak(from: BoshClient, to: string, tell: (n: number) => void): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    from.send(
      `<message xmlns='jabber:client' to='${to}' type='chat' id='m${n}'><body>${n}</body></message>`,
    )
    if (n % 5 !== 4) continue
    tell(n)
    await new Promise(setImmediate)
    await from.take(({ attrs }) => attrs.id === `m${n - 4}-heard`, `an answer to ${n - 4}`)
  }
}

/** Hears them all, and answers every fifth, so that both directions are under way all the time. */
async function listen(to: BoshClient, from: string): Promise<string[]> {
  const heard: string[] = []
  while (heard.length < count) {
    const message = await to.take(
      ({ name, attrs }) =>
        name === 'message' && attrs.from === from && !attrs.id?.endsWith('-heard'),
      `message ${heard.length}`,
    )
    const text = message.getChildText('body') ?? ''
    heard.push(text)
    if (Number(text) % 5 === 0)
      to.send(
        `<message xmlns='jabber:client' to='${from}' type='chat' id='m${text}-heard'><body>heard</body></message>`,
      )
  }
  return heard
}

async function stage(context: TestContext): Promise<TestServer | undefined> {
  if (!hasClients(context, 'haproxy')) return undefined
  const services = await clusterServices(context)
  return (
    services &&
    (await TestServer.cluster(services, {
      trustedProxies: { tcp: '127.0.0.1' },
      limits: { rates: false },
    }))
  )
}

test('XEP-0124 behind haproxy without stickiness: the instance that holds the sessions is killed under load, 0 lost, 0 doubled, in order', async (context) => {
  const server = await stage(context)
  if (!server) return
  await using _ = server
  for (const name of ['romeo', 'juliet']) await server.addUser(`${name}@montague.example`, password)
  await using haproxy = await Haproxy.start(server)
  const login = (name: string): Promise<BoshClient> =>
    BoshClient.login({
      port: haproxy.ports.http,
      jid: `${name}@montague.example/web`,
      password,
    })
  using romeo = await login('romeo')
  using juliet = await login('juliet')
  const victim = server.doors.findIndex(({ ready }) => romeo.sid.startsWith(`${ready.instance}.`))
  assert(victim >= 0)
  let killed: Promise<void> | undefined
  const kill = (n: number): void => {
    if (n > count / 3) killed ??= server.doors[victim]?.process.kill()
  }
  const [fromRomeo, fromJuliet] = await Promise.all([
    listen(juliet, romeo.jid),
    listen(romeo, juliet.jid),
    speak(romeo, juliet.jid, kill),
    speak(juliet, romeo.jid, () => {}),
  ])
  await killed
  const all = Array.from({ length: count }, (_, n) => String(n))
  assert.deepEqual(fromRomeo, all)
  assert.deepEqual(fromJuliet, all)
  assert(killed, 'nobody was killed')
  for (const { inbox } of [romeo, juliet])
    assert.deepEqual(inbox.filter(({ name }) => name === 'message').map(String), [])
  // The same sessions as before.
  await Promise.all([romeo.close(), juliet.close()])
  assert.deepEqual([romeo.condition, juliet.condition], ['none', 'none'])
})
