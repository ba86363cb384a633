import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canOwnServices, ownPostgres, ownRedis, TestServer } from '@tactus/testkit'
import { Realm, Speaker } from './realm.ts'

interface Listed {
  readonly streams: readonly {
    readonly direction: string
    readonly remote: string
    readonly state: string
    readonly instance: string
  }[]
}

const numbered = /<body>n(\d+)<\/body>/
const limits = { rates: 'off', sendQueue: { stanzas: 10_000, bytes: '16MiB' } }
const total = 3_000

const message = (to: string, number: number): string =>
  `<message to='${to}' type='chat'><body>n${number}</body></message>`

/** What came, which has to be everything, once and in order. */
function checkHeard({ heard, unheard }: Speaker): void {
  const numbers = heard.flatMap((text) => numbered.exec(text)?.[1] ?? []).map(Number)
  assert.deepEqual(
    [...new Set(numbers)],
    Array.from({ length: total + 1 }, (_, number) => number),
    'nothing is lost, and each comes for the first time in its place',
  )
  assert.equal(numbers.length - total - 1, 0, 'nothing comes twice')
  assert.equal(
    unheard.some((text) => text.includes("type='error'")),
    false,
  )
}

test('XEP-0198 §5: the connection manager that has the stream to or from another server is killed; the next one resumes it: nothing is lost, doubled or out of order', {
  timeout: 240_000,
}, async (context) => {
  if (!canOwnServices(context)) return
  await using redis = await ownRedis()
  await using postgres = await ownPostgres()
  // All that waited comes at once, to a client that is one among many here.
  await using realm = await Realm.of({ domain: 'mantua.lit', settings: { limits } })
  await using cluster = await TestServer.cluster(
    { redis, postgres },
    { ...realm.settings({ domain: 'verona.lit' }), limits },
  )
  const find = (door: number): void => realm.names.locate('verona.lit', cluster.port('s2s', door))
  find(0)
  const romeo = await realm.login('romeo@mantua.lit/exile')
  await cluster.addUser('juliet@verona.lit', 'secret')
  const holder = async (): Promise<string> => {
    const { streams } = (await cluster.command('s2s list', { domain: 'mantua.lit' })) as Listed
    return (
      streams.find(({ direction, state }) => direction === 'out' && state === 'open')?.instance ??
      ''
    )
  }
  const login = async (door: number): Promise<Speaker> =>
    new Speaker(await cluster.login('juliet@verona.lit/balcony', 'secret', door))

  // Whoever holds the shard, juliet sits at the other one.
  const first = await login(0)
  first.say(message(romeo.jid, 0))
  await romeo.hears('<body>n0</body>')
  const name = await holder()
  const door = cluster.doors.findIndex(({ ready }) => ready.instance === name)
  assert(door >= 0, `${name} is no instance of ours`)
  const juliet = await login(1 - door)
  const send = (from: Speaker, to: Speaker, [begin, end]: readonly [number, number]): void => {
    for (let number = begin; number <= end; number += 1) from.say(message(to.jid, number))
  }
  send(juliet, romeo, [1, 1_000])
  await romeo.hears('<body>n100</body>')
  await cluster.doors[door]?.process.kill()
  send(juliet, romeo, [1_001, total])
  await romeo.hears(`<body>n${total}</body>`)
  assert.notEqual(await holder(), name)
  checkHeard(romeo)

  // And the other way: the stream that mantua opened ends with the one that accepted it.
  await cluster.startConnectionManager()
  find(2)
  send(romeo, juliet, [0, 1_000])
  await juliet.hears('<body>n100</body>')
  find(1 - door)
  await cluster.doors[2]?.process.kill()
  send(romeo, juliet, [1_001, total])
  await juliet.hears(`<body>n${total}</body>`)
  checkHeard(juliet)
})
