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

test('design §4: the connection manager that writes to another server is killed; the next one goes on, in order', {
  timeout: 120_000,
}, async (context) => {
  if (!canOwnServices(context)) return
  await using redis = await ownRedis()
  await using postgres = await ownPostgres()
  await using realm = await Realm.of({
    domain: 'mantua.lit',
    // All that waited comes at once, to a client that is one among many here.
    settings: { limits: { rates: 'off', sendQueue: { stanzas: 10_000, bytes: '16MiB' } } },
  })
  await using cluster = await TestServer.cluster(
    { redis, postgres },
    realm.settings({ domain: 'verona.lit' }),
  )
  realm.names.locate('verona.lit', cluster.port('s2s', 0))
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
  first.say(`<message to='${romeo.jid}' type='chat'><body>n0</body></message>`)
  await romeo.hears('<body>n0</body>')
  const name = await holder()
  const door = cluster.doors.findIndex(({ ready }) => ready.instance === name)
  assert(door >= 0, `${name} is no instance of ours`)
  const juliet = await login(1 - door)
  const total = 3_000
  let sent = 0
  const send = (count: number): void => {
    for (let left = count; left > 0; left -= 1) {
      sent += 1
      juliet.say(`<message to='${romeo.jid}' type='chat'><body>n${sent}</body></message>`)
    }
  }
  send(1_000)
  await romeo.hears('<body>n100</body>')
  await cluster.doors[door]?.process.kill()
  send(total - 1_000)

  await romeo.hears(`<body>n${total}</body>`)
  assert.notEqual(await holder(), name)
  const numbers = [...romeo.heard].flatMap((text) => numbered.exec(text)?.[1] ?? []).map(Number)
  const firsts = [...new Set(numbers)]
  assert.deepEqual(
    firsts,
    Array.from({ length: total + 1 }, (_, number) => number),
    'nothing is lost, and each comes for the first time in its place',
  )
  context.diagnostic(`${numbers.length - firsts.length} of ${total} came twice`)
  assert.equal(
    romeo.unheard.some((text) => text.includes("type='error'")),
    false,
  )
})
