import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  BoshClient,
  clusterServices,
  hasClients,
  type ServerProcess,
  TestServer,
} from '@tactus/testkit'
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

async function stage(
  context: TestContext,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<TestServer | undefined> {
  const services = await clusterServices(context)
  return services && (await TestServer.cluster(services, { limits: { rates: false }, ...settings }))
}

async function addUsers(server: TestServer, names: readonly string[]): Promise<void> {
  for (const name of names) await server.addUser(`${name}@montague.example`, password)
}

const all = Array.from({ length: count }, (_, n) => String(n))

/** Both talk to each other all the time: 0 lost, 0 doubled, in order, and in the same sessions to the end. */
async function talk(
  romeo: BoshClient,
  juliet: BoshClient,
  tell: (n: number) => void,
): Promise<void> {
  const [fromRomeo, fromJuliet] = await Promise.all([
    listen(juliet, romeo.jid),
    listen(romeo, juliet.jid),
    speak(romeo, juliet.jid, tell),
    speak(juliet, romeo.jid, () => {}),
  ])
  assert.deepEqual(fromRomeo, all)
  assert.deepEqual(fromJuliet, all)
}

/** Nothing came that was not waited for, and both sessions are there to take leave of. */
async function checkEnds(romeo: BoshClient, juliet: BoshClient): Promise<void> {
  await Promise.all([romeo.close(), juliet.close()])
  assert.deepEqual([romeo.condition, juliet.condition], ['none', 'none'])
  for (const { inbox } of [romeo, juliet])
    assert.deepEqual(inbox.filter(({ name }) => name === 'message').map(String), [])
}

/** Where a client's session is held. */
function holder({ doors }: TestServer, { sid }: BoshClient): ServerProcess {
  const door = doors.find(({ ready }) => sid.startsWith(`${ready.instance}.`))
  assert(door)
  return door.process
}

for (const [balance, role, names] of [
  ['leastconn', 'holds the sessions', ['romeo', 'juliet']],
  ['roundrobin', 'holds the sessions', ['antony', 'cleopatra']],
  ['roundrobin', 'serves what the other holds', ['troilus', 'cressida']],
] as const)
  test(`XEP-0124 behind haproxy (${balance}) without stickiness: the instance that ${role} is killed under load, 0 lost, 0 doubled, in order`, async (context) => {
    if (!hasClients(context, 'haproxy')) return
    const server = await stage(context, { trustedProxies: { tcp: '127.0.0.1' } })
    if (!server) return
    await using _ = server
    await addUsers(server, names)
    await using haproxy = await Haproxy.start(server, balance)
    const login = (name: string): Promise<BoshClient> =>
      BoshClient.login({ port: haproxy.ports.http, jid: `${name}@montague.example/web`, password })
    using romeo = await login(names[0])
    using juliet = await login(names[1])
    const holds = holder(server, romeo)
    const other = server.doors.find(({ process }) => process !== holds)?.process
    const victim = role === 'holds the sessions' ? holds : other
    let killed: Promise<void> | undefined
    await talk(romeo, juliet, (n) => {
      if (n > count / 3) killed ??= victim?.kill()
    })
    await killed
    assert(killed, 'nobody was killed')
    await checkEnds(romeo, juliet)
  })

test('design §3.7: the instance that holds a session is frozen under load, and goes on when another has the session: it takes and tells nothing more', async (context) => {
  const server = await stage(context)
  if (!server) return
  await using _ = server
  await addUsers(server, ['mercutio', 'benvolio'])
  const ports = [server.port('http', 0), server.port('http', 1)]
  const login = (name: string, port: readonly number[]): Promise<BoshClient> =>
    BoshClient.login({ port, jid: `${name}@montague.example/web`, password, wait: 1 })
  using mercutio = await login('mercutio', ports)
  using benvolio = await login('benvolio', ports.slice(1))
  const frozen = holder(server, mercutio)
  assert.notEqual(frozen, holder(server, benvolio))
  try {
    await talk(mercutio, benvolio, (n) => {
      if (n === 24) frozen.signal('SIGSTOP')
      if (n === 44) frozen.signal('SIGCONT')
    })
    // What it was asked meanwhile is answered at last.
    const late = await mercutio.late()
    assert(late.length > 0, 'it was asked nothing')
    await checkEnds(mercutio, benvolio)
    assert.match(server.output, /bosh_taken_over/)
  } catch (error) {
    context.diagnostic(server.output)
    throw error
  }
})
