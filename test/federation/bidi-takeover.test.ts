import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canOwnServices, ownPostgres, ownRedis, TestServer } from '@tactus/testkit'
import { Realm, Speaker } from './realm.ts'

interface Listed {
  readonly streams: readonly {
    readonly direction: string
    readonly state: string
    readonly instance: string
  }[]
}

const ours = 'verona.lit'
const theirs = 'mantua.lit'
const limits = { rates: 'off', sendQueue: { stanzas: 10_000, bytes: '16MiB' } }
const s2s = { bidi: true }
/** Nothing listens there. */
const nowhere = 1

/** What came, which has to be everything, once and in order, and no error. */
function checkHeard({ heard }: Speaker, last: number): void {
  const numbers = heard.flatMap((text) => /<body>n(\d+)<\/body>/.exec(text)?.[1] ?? []).map(Number)
  assert.deepEqual(
    numbers,
    Array.from({ length: last + 1 }, (_, number) => number),
  )
  assert.equal(
    heard.some((text) => text.includes("type='error'")),
    false,
  )
}

const say = (from: Speaker, to: Speaker, begin: number, end: number): void => {
  for (let number = begin; number <= end; number += 1)
    from.say(`<message to='${to.jid}' type='chat'><body>n${number}</body></message>`)
}

test('XEP-0288, XEP-0198 §5: the connection manager with the only stream is killed, then the one that holds the shard; nothing is lost, doubled or out of order in either direction', {
  timeout: 240_000,
}, async (context) => {
  if (!canOwnServices(context)) return
  await using redis = await ownRedis()
  await using postgres = await ownPostgres()
  await using realm = await Realm.of({ domain: theirs, settings: { limits }, s2s })
  realm.names.locate(theirs, nowhere)
  const settings = realm.settings({ domain: ours, s2s })
  await using cluster = await TestServer.cluster(
    { redis, postgres },
    { ...settings, limits, cms: 3 },
  )
  const find = (door: number): void => realm.names.locate(ours, cluster.port('s2s', door))
  const doorOf = async (direction: string): Promise<number> => {
    const { streams } = (await cluster.command('s2s list', { domain: theirs })) as Listed
    const open = streams.find((one) => one.direction === direction && one.state === 'open')
    return cluster.doors.findIndex(({ ready }) => ready.instance === open?.instance)
  }
  await cluster.addUser(`juliet@${ours}`, 'secret')
  const login = async (door: number): Promise<Speaker> =>
    new Speaker(await cluster.login(`juliet@${ours}/balcony`, 'secret', door))
  const romeo = await realm.login(`romeo@${theirs}/exile`)

  // Who holds the shard, who has the stream, and where juliet is are three.
  find(0)
  const first = await login(0)
  say(romeo, first, 0, 0)
  await first.hears('<body>n0</body>')
  say(first, romeo, 0, 0)
  await romeo.hears('<body>n0</body>')
  const holder = await doorOf('out')
  const streamed = holder === 0 ? 1 : 0
  const other = 3 - holder - streamed
  if (streamed !== 0) {
    find(streamed)
    await cluster.command('s2s close', { domain: theirs })
    while ((await doorOf('in')) !== streamed) await new Promise((done) => setTimeout(done, 200))
  }
  first.client.drop()
  const juliet = await login(other)
  say(romeo, juliet, 0, 0)
  await juliet.hears('<body>n0</body>')

  say(juliet, romeo, 1, 1_000)
  say(romeo, juliet, 1, 1_000)
  await romeo.hears('<body>n100</body>')
  find(other)
  await cluster.doors[streamed]?.process.kill()
  say(juliet, romeo, 1_001, 2_000)
  say(romeo, juliet, 1_001, 2_000)
  await Promise.all([romeo.hears('<body>n2000</body>'), juliet.hears('<body>n2000</body>')])
  checkHeard(romeo, 2_000)
  checkHeard(juliet, 2_000)

  say(juliet, romeo, 2_001, 3_000)
  await romeo.hears('<body>n2100</body>')
  await cluster.doors[holder]?.process.kill()
  say(juliet, romeo, 3_001, 4_000)
  await romeo.hears('<body>n4000</body>')
  checkHeard(romeo, 4_000)
  assert.equal(await doorOf('out'), other)
})

test('XEP-0288, XEP-0198 §5: the connection manager that opened the only stream is killed; the next one fetches what the other server could not send otherwise, once and in order', {
  timeout: 240_000,
}, async (context) => {
  if (!canOwnServices(context)) return
  await using redis = await ownRedis()
  await using postgres = await ownPostgres()
  await using realm = await Realm.of({ domain: theirs, settings: { limits }, s2s })
  const settings = realm.settings({ domain: ours, s2s })
  await using cluster = await TestServer.cluster({ redis, postgres }, { ...settings, limits })
  realm.names.locate(ours, nowhere)
  await cluster.addUser(`juliet@${ours}`, 'secret')
  const login = async (door: number): Promise<Speaker> =>
    new Speaker(await cluster.login(`juliet@${ours}/balcony`, 'secret', door))
  const romeo = await realm.login(`romeo@${theirs}/exile`)
  const first = await login(0)
  say(first, romeo, 0, 0)
  await romeo.hears('<body>n0</body>')
  const { streams } = (await cluster.command('s2s list', { domain: theirs })) as Listed
  const holder = cluster.doors.findIndex(
    ({ ready }) => ready.instance === streams.find(({ state }) => state === 'open')?.instance,
  )
  const juliet = await login(1 - holder)
  say(romeo, juliet, 0, 0)
  await juliet.hears('<body>n0</body>')

  say(romeo, juliet, 1, 1_000)
  say(juliet, romeo, 1, 1_000)
  await Promise.all([juliet.hears('<body>n100</body>'), romeo.hears('<body>n100</body>')])
  await cluster.doors[holder]?.process.kill()
  // Nothing more is said to mantua: nobody here has a reason of its own to open a stream.
  say(romeo, juliet, 1_001, 2_000)

  await Promise.all([juliet.hears('<body>n2000</body>'), romeo.hears('<body>n1000</body>')])
  checkHeard(juliet, 2_000)
  checkHeard(romeo, 1_000)
})
