import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { joinRedisBus } from '@tactus/bus'
import { partitionOf, partitionStream } from '@tactus/cluster'
import { loadConfig } from '@tactus/config'
import { realEnv } from '@tactus/env'
import { canOwnServices, ownPostgres, ownRedis, SmClient, TestServer } from '@tactus/testkit'
import { Realm, Speaker } from './realm.ts'

const home = 'verona.lit'
const away = 'mantua.lit'
const juliet = { jid: `juliet@${home}/balcony`, password: 'secret', door: 0 } as const
/** Nothing listens there. */
const nowhere = 1

/** A bus that was just lost takes its time to be taken up anew. */
async function loggedIn(server: TestServer): Promise<SmClient> {
  for (;;) {
    const client = await SmClient.managed(server, juliet).catch(() => undefined)
    if (client) return client
  }
}

/** Juliet's server accepts messages for one that nobody can reach yet. */
async function accepted(server: TestServer, from: number, count: number): Promise<void> {
  const client = await loggedIn(server)
  for (let number = from; number < from + count; number += 1)
    client.send(`<message to='romeo@${away}/exile' type='chat'><body>n${number}</body></message>`)
  await client.acknowledged(count)
  client.drop()
}

/** The other server can be reached at last, and hears everything in order; after a loss maybe more than once. */
async function arrivesAt(realm: Realm, romeo: Speaker, count: number): Promise<void> {
  realm.names.locate(away, realm.server(away).port('s2s'))
  // What goes the other way shows that it is back: else it might not be tried again for two minutes.
  romeo.say(`<message to='nurse@${home}' type='chat'><body>I am here</body></message>`)
  await romeo.hears(`<body>n${count}</body>`)
  const numbers = romeo.heard.flatMap((text) => /<body>n(\d+)</.exec(text)?.[1] ?? []).map(Number)
  assert.deepEqual(
    [...new Set(numbers)],
    Array.from({ length: count }, (_, index) => index + 1),
  )
}

test('design §3.6: Redis loses everything, twice, and what was accepted for another server still goes there', {
  timeout: 120_000,
}, async (context) => {
  if (!canOwnServices(context)) return
  await using redis = await ownRedis()
  await using postgres = await ownPostgres()
  await using realm = await Realm.of({ domain: away })
  const romeo = await realm.login(`romeo@${away}/exile`)
  realm.names.locate(away, nowhere)
  await using cluster = await TestServer.cluster(
    { redis, postgres },
    realm.settings({ domain: home }),
  )
  realm.names.locate(home, cluster.port('s2s', 0))
  await cluster.addUser(`juliet@${home}`, 'secret')
  await accepted(cluster, 1, 20)
  await redis.flush()
  await accepted(cluster, 21, 20)
  await redis.flush()
  await accepted(cluster, 41, 1)
  await arrivesAt(realm, romeo, 41)
})

test('design §3.6: the standalone server is killed, and what it had accepted for another server still goes there', {
  timeout: 120_000,
}, async () => {
  await using realm = await Realm.of({ domain: away })
  const romeo = await realm.login(`romeo@${away}/exile`)
  realm.names.locate(away, nowhere)
  await using server = await TestServer.standalone(realm.settings({ domain: home }))
  await server.addUser(`juliet@${home}`, 'secret')
  await accepted(server, 1, 20)
  const [door] = server.doors
  await door?.process.kill()
  if (door) server.forget(door.process)
  await server.startStandalone()
  realm.names.locate(home, server.port('s2s', 0))
  await accepted(server, 21, 1)
  await arrivesAt(realm, romeo, 21)
})

interface Listed {
  readonly streams: readonly { readonly direction: string; readonly queued: number }[]
}

/** The server has nothing left that the other one has not acknowledged. */
async function allAcknowledged(server: TestServer, domain: string): Promise<void> {
  for (;;) {
    const { streams } = (await server.command('s2s list', { domain })) as Listed
    const out = streams.filter(({ direction }) => direction === 'out')
    if (out.length > 0 && out.every(({ queued }) => queued === 0)) return
    await pause(100)
  }
}

/** Something waits on the bus for the owner of an entity. */
async function waitsOnBus({ configuration }: TestServer, entity: string): Promise<void> {
  const { config } = loadConfig({ file: configuration.file, environment: {} })
  const { bus: at, cluster } = config
  await using bus = await joinRedisBus({ url: at.url, env: realEnv(), cluster: cluster.id })
  const stream = partitionStream(partitionOf(entity, cluster.partitions))
  while (((await bus.extent([stream])).get(stream)?.length ?? 0) === 0) await pause(20)
}

/** Available, so that what waited comes. */
async function present(server: TestServer): Promise<Speaker> {
  for (;;) {
    const client = await server.login(juliet.jid, juliet.password).catch(() => undefined)
    if (!client) continue
    const speaker = new Speaker(client)
    speaker.say('<presence/>')
    return speaker
  }
}

test('design §3.5: Redis loses what another server sent before it is in the database; that server was not told that it had arrived, and sends it again', {
  timeout: 120_000,
}, async (context) => {
  if (!canOwnServices(context)) return
  await using redis = await ownRedis()
  await using postgres = await ownPostgres()
  await using realm = await Realm.of({ domain: away })
  const romeo = await realm.login(`romeo@${away}/exile`)
  await using cluster = await TestServer.cluster(
    { redis, postgres },
    { cms: 1, routers: 1, ...realm.settings({ domain: home }) },
  )
  realm.names.locate(home, cluster.port('s2s', 0))
  await cluster.addUser(`juliet@${home}`, 'secret')
  const say = (body: string): void =>
    romeo.say(`<message to='juliet@${home}' type='chat'><body>${body}</body></message>`)
  say('n1')
  await allAcknowledged(realm.server(away), home)

  for (const router of cluster.routers) router.signal('SIGSTOP')
  say('n2')
  await waitsOnBus(cluster, `juliet@${home}`)
  // Time for an answer that must not be given.
  await pause(500)
  await redis.flush()
  for (const router of cluster.routers) router.signal('SIGCONT')

  const her = await present(cluster)
  await her.hears('<body>n1</body>')
  await her.hears('<body>n2</body>')
  her.client.drop()
})
