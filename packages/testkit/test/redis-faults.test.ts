import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  BusFull,
  BusUnavailable,
  type Entry,
  IncarnationChanged,
  joinRedisBus,
  openRedisBus,
  type RedisBus,
  type RedisBusOptions,
  type SessionAck,
  SettingsDiffer,
  type StepRecord,
} from '@tactus/bus'
import { realEnv } from '@tactus/env'
import { Redis } from 'ioredis'
import type { RedisService } from '../src/redis-service.ts'
import { ownRedis, redisFor } from '../src/services.ts'

const ack = (n: number, size = 0): SessionAck => ({
  kind: 'session.ack',
  entity: `romeo@montague.example${'/'.padEnd(size, 'x')}`,
  session: 's1',
  epoch: 1,
  n,
})

interface Scene {
  readonly server: RedisService
  readonly bus: RedisBus
  readonly admin: Redis
  open(options?: Partial<RedisBusOptions>): Promise<RedisBus>
}

/** A Redis of its own, a handle and an operator's connection, for one test. */
function scene(
  title: string,
  play: (scene: Scene) => Promise<void>,
  options: Partial<RedisBusOptions> = {},
): void {
  test(title, { timeout: 60_000 }, async (t: TestContext) => {
    if (!(await redisFor(t))) return
    await using stack = new AsyncDisposableStack()
    const server = stack.use(await ownRedis())
    const admin = stack.adopt(new Redis(server.url), (redis) => redis.disconnect())
    admin.on('error', () => {}) // its server is killed on purpose
    const open = async (more: Partial<RedisBusOptions> = {}): Promise<RedisBus> =>
      stack.use(
        await openRedisBus({
          url: server.url,
          env: realEnv(),
          cluster: 'verona',
          incarnation: 1,
          create: false,
          commandTimeout: 10_000, // a busy machine is no fault
          ...options,
          ...more,
        }),
      )
    await play({ server, admin, open, bus: await open({ create: true }) })
  })
}

/** Does it again until the bus takes it; other errors are errors. */
async function insist<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof BusUnavailable)) throw error
    }
  }
}

const numbers = (entries: readonly Entry[]): number[] =>
  entries.flatMap(({ frames }) => frames.map((frame) => (frame as SessionAck).n))

const readAll = async (bus: RedisBus, stream: string): Promise<number[]> =>
  numbers(await insist(() => bus.read(new Map([[stream, '0']]), { count: 1_000_000, wait: 0 })))

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1)

scene(
  'F07: Redis killed five times amid publishes and commits: nothing accepted is lost, no step is doubled',
  async ({ server, bus, open, admin }) => {
    // `everysec` may keep a write to itself while an fsync runs (then §3.11 takes over); `always` promises.
    const promise = (): Promise<unknown> => admin.config('SET', 'appendfsync', 'always')
    await promise()
    const accepted: number[] = []
    let published = 0
    let step = 0
    let running = true

    const publishing = async (): Promise<void> => {
      while (running) {
        published += 1
        const n = published
        await bus.publish('p:1', [ack(n)]).then(
          () => accepted.push(n),
          (error) => assert(error instanceof BusUnavailable),
        )
      }
    }
    const committing = async (): Promise<void> => {
      while (running) {
        const record: StepRecord = {
          router: 'r1',
          step: step + 1,
          operations: [{ op: 'append', stream: 'd:cm1', frames: [ack(step + 1)] }],
        }
        const { outcome } = await insist(() => bus.commit(record))
        assert(outcome === 'applied' || outcome === 'done', `${outcome} at step ${step + 1}`)
        step += 1
      }
    }
    const work = Promise.all([publishing(), publishing(), publishing(), committing()])
    for (let round = 0; round < 5; round += 1) {
      const goal = accepted.length + 200
      while (accepted.length < goal) await new Promise(setImmediate)
      await server.kill('SIGKILL')
      await server.restart()
      await promise()
    }
    running = false
    await work

    const other = await open()
    const present = new Set(await readAll(other, 'p:1'))
    assert.deepEqual(
      accepted.filter((n) => !present.has(n)),
      [],
    )
    assert.equal(await other.step('r1'), step)
    assert.deepEqual(await readAll(other, 'd:cm1'), upTo(step))
  },
)

scene(
  'F10: a Redis that answers nothing: every call ends in time, and a commit sent again counts once',
  async ({ bus, admin }) => {
    await admin.call('CLIENT', 'PAUSE', '4000', 'ALL')
    const record: StepRecord = {
      router: 'r1',
      step: 1,
      operations: [{ op: 'append', stream: 'p:1', frames: [ack(1)] }],
    }
    const started = performance.now()
    const calls = [
      bus.commit(record),
      bus.publish('p:2', [ack(1)]),
      bus.step('r1'),
      bus.read(new Map([['p:1', '0']]), { count: 1, wait: 0 }),
      bus.beat({ id: 'r1', role: 'router', protocol: 1, info: {} }, 1_000),
      bus.instances(),
    ]
    for (const outcome of await Promise.allSettled(calls))
      assert(outcome.status === 'rejected' && outcome.reason instanceof BusUnavailable)
    assert(performance.now() - started < 3_900)

    const { outcome } = await insist(() => bus.commit(record))
    assert(outcome === 'applied' || outcome === 'done')
    assert.deepEqual(await readAll(bus, 'p:1'), [1])
  },
  { commandTimeout: 1_000 },
)

scene(
  'F10: a frozen Redis that goes on: the handle goes on as well',
  async ({ server, bus }) => {
    await insist(() => bus.publish('p:1', [ack(1)]))
    await server.kill('SIGSTOP')
    await assert.rejects(bus.publish('p:1', [ack(2)]), BusUnavailable)
    await server.kill('SIGCONT')
    await insist(() => bus.publish('p:1', [ack(3)]))
    const read = await readAll(bus, 'p:1')
    assert.deepEqual([read[0], read.at(-1)], [1, 3])
  },
  { commandTimeout: 1_000 },
)

scene(
  'a connection cut while a read waits ends it at once, the next one waits again',
  async ({ bus, admin }) => {
    const waiting = bus.read(new Map([['p:1', '0']]), { count: 1, wait: 20_000 })
    while (!String(await admin.call('CLIENT', 'LIST')).includes('cmd=xread'))
      await new Promise(setImmediate)
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await assert.rejects(waiting, BusUnavailable)
    const again = bus.read(new Map([['p:1', '0']]), { count: 1, wait: 20_000 })
    await insist(() => bus.publish('p:1', [ack(7)]))
    assert.equal(numbers(await again)[0], 7)
  },
)

scene(
  'F11: at the limit of memory a publish is refused, a commit is not, and room comes back by commits',
  async ({ bus, admin, open }) => {
    const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
    await admin.config('SET', 'maxmemory', String(used + 6_000_000))
    let refused: unknown
    for (let n = 1; refused === undefined; n += 1)
      refused = await bus.publish('p:1', [ack(n, 20_000)]).catch((error: unknown) => error)
    assert(refused instanceof BusFull)

    await admin.config('SET', 'maxmemory', '1000000')
    const other = await open({ limits: { pressure: Number.POSITIVE_INFINITY } })
    await assert.rejects(other.publish('p:2', [ack(1)]), BusFull)
    const entries = await other.read(new Map([['p:1', '0']]), { count: 10_000, wait: 0 })
    const positions = entries.map(({ position }) => position)
    const { outcome } = await other.commit({
      router: 'r1',
      step: 1,
      operations: [
        { op: 'append', stream: 'd:cm1', frames: [ack(1, 20_000)] },
        { op: 'remove', stream: 'p:1', positions },
      ],
    })
    assert.equal(outcome, 'applied')
    await other.beat({ id: 'r1', role: 'router', protocol: 1, info: {} }, 60_000)
    assert.equal((await other.instances()).length, 1)

    await admin.config('SET', 'maxmemory', String(used * 100))
    await other.publish('p:2', [ack(2)])
    while (bus.pressure() >= 0.7) await new Promise(setImmediate)
    await bus.publish('p:2', [ack(3)])
    assert.deepEqual(await readAll(other, 'p:2'), [2, 3])
  },
  { pollInterval: 10 },
)

scene(
  'F08: FLUSHALL: every kind of call finds out, also one that waits',
  async ({ bus, admin, open }) => {
    await bus.commit({ router: 'r1', step: 1, operations: [] })
    const waiting = bus.read(new Map([['p:1', '0']]), { count: 1, wait: 300 })
    await admin.flushall()
    assert.deepEqual(await waiting.catch(() => []), [])
    const step2: StepRecord = { router: 'r1', step: 2, operations: [] }
    await assert.rejects(bus.commit(step2), IncarnationChanged)
    await assert.rejects(bus.publish('p:1', [ack(1)]), IncarnationChanged)
    const again = bus.read(new Map([['p:1', '0']]), { count: 1, wait: 300 })
    await assert.rejects(again, IncarnationChanged)
    await assert.rejects(open(), IncarnationChanged)
    const next = await open({ incarnation: 2, create: true })
    assert.equal((await next.commit({ ...step2, step: 1 })).outcome, 'applied')
  },
)

scene('scripts that Redis forgot are told again', async ({ bus, admin }) => {
  await admin.call('SCRIPT', 'FLUSH')
  const record: StepRecord = { router: 'r1', step: 1, operations: [] }
  assert.equal((await bus.commit(record)).outcome, 'applied')
  assert.deepEqual(await bus.queue('s1', 0, 10), [])
  await admin.call('SCRIPT', 'FLUSH')
  // Not sent again by the bus itself: only the producer knows the order.
  await assert.rejects(bus.publish('p:1', [ack(1)]), BusUnavailable)
  await insist(() => bus.publish('p:1', [ack(1)]))
  assert.deepEqual(await readAll(bus, 'p:1'), [1])
})

scene(
  '§3.12: a process with other settings is refused, is told which, and writes nothing',
  async ({ open, admin }) => {
    const settings = {
      cluster: 'verona',
      partitions: 64,
      schemaVersion: 3,
      secretFingerprint: 'a1b2',
    }
    await open({ settings })
    await open({ settings })
    const other = { ...settings, partitions: 32, secretFingerprint: 'ffff' }
    await assert.rejects(open({ settings: other, incarnation: 2, create: true }), (error) => {
      assert(error instanceof SettingsDiffer)
      assert.match(error.message, /partitions is 32 here and 64 in Redis/)
      assert.match(error.message, /secretFingerprint/)
      assert.doesNotMatch(error.message, /schemaVersion/)
      return true
    })
    assert.equal(await admin.get('tactus:verona:incarnation'), '1')
  },
)

scene('§5: what is wrong with the configuration is said in sentences', async ({ admin, open }) => {
  await admin.config('SET', 'maxmemory', '500mb')
  assert.deepEqual((await open()).warnings, [])
  await admin.config('SET', 'appendonly', 'no')
  await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
  await admin.config('SET', 'maxmemory', '0')
  const { warnings } = await open()
  assert.equal(warnings.length, 3)
  assert.match(warnings.join('\n'), /appendonly.*allkeys-lru.*maxmemory/s)
})

scene(
  'a frame that cannot be read is reported with its bytes, those around it are read',
  async ({ open, admin }) => {
    const faults: string[] = []
    const bus = await open({
      onFault: ({ stream, error }) =>
        faults.push(`${stream} ${error.reason} ${error.bytes.length}`),
    })
    await bus.publish('p:1', [ack(1)])
    const key = 'tactus:verona:1:s:p:1'
    await admin.xadd(key, '*', 'f', Buffer.from([1, 0x92, 0xa3, 0x6e, 0x65, 0x77, 0x90]))
    await admin.xadd(key, '*', 'f', Buffer.from([9, 1, 2, 3]))
    await admin.xadd(key, '*', 'other', 'x')
    await bus.publish('p:1', [ack(2)])
    const entries = await bus.read(new Map([['p:1', '0']]), { count: 10, wait: 0 })
    assert.deepEqual(numbers(entries), [1, 2])
    assert.equal(entries.length, 5)
    assert.deepEqual(faults, ['p:1 kind 6', 'p:1 version 4', 'p:1 version 1'])
  },
)

scene('after an outage a reader asks for less at a time, and misses nothing', async ({ bus }) => {
  for (let n = 1; n <= 200; n += 1) await bus.publish('p:1', [ack(n, 150_000)])
  const sizes: number[] = []
  const read: number[] = []
  for (let position = '0'; read.length < 200; ) {
    const entries = await bus.read(new Map([['p:1', position]]), { count: 100, wait: 0 })
    sizes.push(entries.length)
    read.push(...numbers(entries))
    position = entries.at(-1)?.position ?? position
  }
  assert.deepEqual(read, upTo(200))
  assert.deepEqual(sizes.slice(0, 2), [100, 50])
  await bus.publish(
    'p:2',
    Array.from({ length: 9 }, (_, n) => ack(n)),
  )
  assert.equal((await readAll(bus, 'p:2')).length, 9)
})

scene('two clusters share a Redis without seeing each other', async ({ bus, open }) => {
  const other = await open({ cluster: 'mantua', create: true })
  await bus.publish('p:1', [ack(1)])
  await bus.beat({ id: 'r1', role: 'router', protocol: 1, info: {} }, 10_000)
  assert.deepEqual(await readAll(other, 'p:1'), [])
  assert.deepEqual(await other.instances(), [])
})

scene(
  'who does not know the store joins the incarnation that Redis is in, once there is one',
  async ({ server, open }) => {
    const options = { url: server.url, env: realEnv(), commandTimeout: 10_000 }
    await assert.rejects(joinRedisBus({ ...options, cluster: 'mantua' }), BusUnavailable)
    await open({ incarnation: 7, create: true })
    await using joined = await joinRedisBus({ ...options, cluster: 'verona' })
    assert.equal(joined.incarnation, 7)
  },
)

scene('a Redis that is not there is said to be so, within the timeout', async ({ server }) => {
  await server.kill('SIGKILL')
  const lost: Error[] = []
  const options = { url: server.url, env: realEnv(), cluster: 'verona', commandTimeout: 300 }
  const started = performance.now()
  await assert.rejects(
    openRedisBus({
      ...options,
      incarnation: 1,
      create: false,
      onDisconnect: (reason) => lost.push(reason),
    }),
    (error) => error instanceof BusUnavailable && error.message.includes('ECONNREFUSED'),
  )
  assert(performance.now() - started < 10_000)
  assert.match(lost[0]?.message ?? '', /ECONNREFUSED/)
})
