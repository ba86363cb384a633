import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { joinRedisBus } from '@tactus/bus'
import { loadConfig } from '@tactus/config'
import { realEnv } from '@tactus/env'
import { canOwnServices, ownPostgres, ownRedis, TestServer } from '@tactus/testkit'
import { Realm, Speaker } from './realm.ts'

interface Listed {
  readonly streams: readonly {
    readonly direction: string
    readonly state: string
    readonly instance: string
  }[]
}

const limits = { rates: 'off', sendQueue: { stanzas: 10_000, bytes: '16MiB' } }

const say = (from: Speaker, to: Speaker, number: number): void =>
  from.say(`<message to='${to.jid}' type='chat'><body>n${number}</body></message>`)

/** Messages from one to another, without a pause. */
class Flow {
  readonly to: Speaker
  last = 0
  readonly #over: Promise<void>
  #isStopped = false

  constructor(from: Speaker, to: Speaker) {
    this.to = to
    this.#over = this.#run(from)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#over
  }

  async #run(from: Speaker): Promise<void> {
    while (!this.#isStopped) {
      for (let count = 0; count < 20; count += 1) {
        this.last += 1
        say(from, this.to, this.last)
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

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

/** Whoever drains has given up all that it held, and lives: nobody had to wait until it counted as dead. */
async function handedOver({ configuration }: TestServer, id: string): Promise<void> {
  const { config } = loadConfig({ file: configuration.file, environment: {} })
  const { bus: at, cluster } = config
  await using bus = await joinRedisBus({ url: at.url, env: realEnv(), cluster: cluster.id })
  while ([...(await bus.claims()).values()].includes(id)) await pause(50)
  assert.ok((await bus.instances()).some((instance) => instance.id === id))
}

test('design §9: a connection manager that holds streams to and from another server is drained and ends; both directions go on elsewhere, nothing is lost, doubled or out of order', {
  timeout: 240_000,
}, async (context) => {
  if (!canOwnServices(context)) return
  await using redis = await ownRedis()
  await using postgres = await ownPostgres()
  await using realm = await Realm.of({ domain: 'mantua.lit', settings: { limits } })
  await using cluster = await TestServer.cluster(
    { redis, postgres },
    { ...realm.settings({ domain: 'verona.lit' }), limits },
  )
  const find = (door: number): void => realm.names.locate('verona.lit', cluster.port('s2s', door))
  const login = async (door: number): Promise<Speaker> =>
    new Speaker(await cluster.login('juliet@verona.lit/balcony', 'secret', door))
  const holders = async (direction: string): Promise<readonly string[]> => {
    const { streams } = (await cluster.command('s2s list', { domain: 'mantua.lit' })) as Listed
    return streams
      .filter((stream) => stream.direction === direction && stream.state === 'open')
      .map(({ instance }) => instance)
  }
  await cluster.addUser('juliet@verona.lit', 'secret')
  find(0)
  const romeo = await realm.login('romeo@mantua.lit/exile')

  // Whoever holds the shard is to have the stream that mantua opens as well; juliet sits at the other one.
  const first = await login(0)
  say(first, romeo, 0)
  await romeo.hears('<body>n0</body>')
  // The list leaves out who does not answer in time.
  let id: string | undefined
  while (id === undefined) [id] = await holders('out')
  const door = cluster.doors.findIndex(({ ready }) => ready.instance === id)
  assert(door >= 0, `${id} is no instance of ours`)
  find(door)
  const juliet = await login(1 - door)
  say(romeo, juliet, 0)
  await juliet.hears('<body>n0</body>')
  assert.deepEqual(await holders('in'), [id])

  // What is under way at every moment of it is what a drain could lose or double.
  const flows = [new Flow(juliet, romeo), new Flow(romeo, juliet)]
  await Promise.all(flows.map(({ to }) => to.hears('<body>n300</body>')))
  find(1 - door)
  await cluster.command('instance drain', { id })
  await handedOver(cluster, id)
  await cluster.doors[door]?.process.stop()
  for (const flow of flows) {
    await flow.stop()
    await flow.to.hears(`<body>n${flow.last}</body>`)
    checkHeard(flow.to, flow.last)
  }
  for (const direction of ['in', 'out'])
    assert.equal((await holders(direction)).includes(id), false)
})
