import { test } from 'node:test'
import { MemoryBroker, MemoryBus } from '@tactus/bus'
import { type Env, realEnv } from '@tactus/env'
import { coreMigrations, openMemorySqlite } from '@tactus/storage'
import { Stanza } from '@tactus/xml'
import { deadLetterMigration } from '../src/dead-letter.ts'
import { Engine } from '../src/engine.ts'
import type { LiveStore, Machine } from '../src/machine.ts'
import { partitionStream } from '../src/partition.ts'

const count: LiveStore<number> = {
  kind: 'live',
  name: 'count',
  decode: Number,
  encode: (value) => value,
}

/** Every look at this clock takes longer than a step may: so it is on a machine that is busy with something else. */
function starved(): Env {
  const real = realEnv()
  let ahead = 0
  const monotonic = (): number => {
    ahead += 50
    return real.clock.monotonic() + ahead
  }
  return { ...real, clock: { ...real.clock, monotonic } }
}

test('design §3.3: a step that only found state missing goes on, however long that took', async () => {
  const env = starved()
  const ran = Promise.withResolvers<void>()
  const machine: Machine = {
    stores: [count as LiveStore<unknown>],
    run(turn) {
      turn.set(count, '', (turn.get(count) ?? 0) + 1)
      ran.resolve()
    },
    failed: () => {},
    runJob: () => Promise.resolve(),
  }
  await using storage = openMemorySqlite(env)
  await storage.migrate([...coreMigrations, deadLetterMigration])
  await storage.ownership.settings({ cluster: 't', partitions: 1, secretFingerprint: '' })
  const broker = new MemoryBroker()
  const openBus = (incarnation: number): Promise<MemoryBus> =>
    Promise.resolve(new MemoryBus({ env, broker, incarnation, create: true }))
  const engine = new Engine({
    env,
    storage,
    machine,
    openBus,
    partitions: 1,
    alone: true,
    heartbeat: 20,
  })
  await engine.start()
  await using bus = new MemoryBus({ env, broker })
  const stanza = Stanza.parse("<message xmlns='jabber:client'/>")
  const half = {
    kind: 'half',
    entity: 'romeo@montague.example',
    stanza,
    id: 'x',
    at: 0,
    durable: false,
    hops: 16,
  } as const
  await bus.publish(partitionStream(0), [half])
  await Promise.race([
    ran.promise,
    new Promise((_, reject) => setTimeout(reject, 5_000, new Error('the input was never run'))),
  ])
  await engine.stop()
})
