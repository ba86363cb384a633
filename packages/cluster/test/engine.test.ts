import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type InputFrame, MemoryBroker, MemoryBus, type OutputFrame } from '@tactus/bus'
import { type Env, realEnv } from '@tactus/env'
import { coreMigrations, openMemorySqlite, type Storage } from '@tactus/storage'
import { Stanza } from '@tactus/xml'
import { deadLetterMigration } from '../src/dead-letter.ts'
import { Engine } from '../src/engine.ts'
import type { LiveStore, Machine, Turn } from '../src/machine.ts'
import { partitionOf, partitionStream } from '../src/partition.ts'

const env = realEnv()
const partitions = 8
const seen: LiveStore<number> = {
  kind: 'live',
  name: 'seen',
  decode: (stored) => Number(stored),
  encode: (value) => value,
}
const stanza = Stanza.parse("<message xmlns='jabber:client'><body>O Romeo</body></message>")

/** Counts its halves and passes them on, to whom the id says; `loop` goes on for ever. */
class Chain implements Machine {
  readonly stores = [seen as LiveStore<unknown>]

  run(turn: Turn): void {
    const { input } = turn
    if (input.kind !== 'half' && input.kind !== 'multicast') return
    const count = (turn.get(seen) ?? 0) + 1
    turn.set(seen, '', count)
    const [next, ...rest] = input.id.split(',')
    const { at, durable } = input
    if (next === 'loop')
      turn.send({ kind: 'half', entity: turn.entity, stanza, id: 'loop', at, durable, hops: 16 })
    else if (next === 'all')
      turn.multicast({ recipients: rest, stanza, id: '', at, durable, hops: 16 })
    else if (next)
      turn.send({ kind: 'half', entity: next, stanza, id: rest.join(), at, durable, hops: 16 })
    turn.output('cm', { kind: 'gap', session: turn.entity, epoch: 1, expected: count })
  }

  failed(): void {}

  async runJob(): Promise<unknown> {
    return undefined
  }
}

interface Cell extends AsyncDisposable {
  readonly broker: MemoryBroker
  readonly storage: Storage
  readonly looped: string[]
  engine(options?: { readonly env?: Env; readonly alone?: boolean }): Promise<Engine>
  send(...frames: readonly InputFrame[]): Promise<void>
  /** The next outputs, as `entity count`. */
  outputs(count: number): Promise<string[]>
}

async function cell(): Promise<Cell> {
  const storage = await openMemorySqlite(env)
  await storage.migrate([...coreMigrations, deadLetterMigration])
  await storage.ownership.settings({ cluster: 't', partitions, secretFingerprint: '' })
  const broker = new MemoryBroker()
  const engines: Engine[] = []
  const looped: string[] = []
  let position = '0'
  const bus = (): MemoryBus => new MemoryBus({ env, broker })
  return {
    broker,
    storage,
    looped,
    async engine({ alone = false } = {}) {
      const engine = new Engine({
        env,
        storage,
        machine: new Chain(),
        partitions,
        alone,
        heartbeat: 20,
        ttl: 2000,
        openBus: async (incarnation, create) => new MemoryBus({ env, broker, incarnation, create }),
        hooks: { problem: (event) => looped.push(event) },
      })
      engines.push(engine)
      await engine.start()
      return engine
    },
    async send(...frames) {
      for (const frame of frames) {
        const entity = 'entity' in frame ? frame.entity : ''
        await bus().publish(partitionStream(partitionOf(entity, partitions)), [frame])
      }
    },
    async outputs(count) {
      const out: string[] = []
      while (out.length < count)
        for (const entry of await bus().read(new Map([['d:cm', position]]), {
          count: 100,
          wait: 1000,
        })) {
          position = entry.position
          out.push(...(entry.frames as readonly OutputFrame[]).flatMap(countOf))
        }
      return out
    },
    async [Symbol.asyncDispose]() {
      for (const engine of engines) await engine.stop()
      await storage[Symbol.asyncDispose]()
    },
  }
}

const countOf = (frame: OutputFrame): string[] =>
  frame.kind === 'gap' ? [`${frame.session} ${frame.expected}`] : []

const half = (entity: string, id: string): InputFrame => ({
  kind: 'half',
  entity,
  stanza,
  id,
  at: 0,
  durable: false,
  hops: 16,
})

test('design §3.3: an input runs, passes through other entities, and what it gives is read from the bus', async () => {
  await using here = await cell()
  await here.engine({ alone: true })
  await here.send(half('a@x', 'b@x,c@x,a@x'))
  assert.deepEqual(await here.outputs(4), ['a@x 1', 'b@x 1', 'c@x 1', 'a@x 2'])
})

test('design §4: a multicast is one input for each of its entities', async () => {
  await using here = await cell()
  await here.engine({ alone: true })
  await here.send(half('a@x', 'all,b@x/1,c@x/1,b@x/2'))
  assert.deepEqual((await here.outputs(3)).toSorted(), ['a@x 1', 'b@x 1', 'c@x 1'])
})

test('design §3.10: an endless exchange ends at the hop limit (A13)', async () => {
  await using here = await cell()
  await here.engine({ alone: true })
  await here.send(half('a@x', 'loop'))
  const outputs = await here.outputs(16)
  assert.equal(outputs.at(-1), 'a@x 16')
  await here.send(half('b@x', ''))
  assert.deepEqual(await here.outputs(1), ['b@x 1'])
  assert.deepEqual(here.looped, ['frame_looped'])
})

test('design §3.2: a newcomer gets its share, and a router that stops hands over what it has', async () => {
  await using here = await cell()
  const one = await here.engine()
  await here.send(half('a@x', ''), half('b@x', ''), half('c@x', ''))
  await here.outputs(3)
  const two = await here.engine()
  const held = (engine: Engine): number => engine.status()?.partitions.length ?? 0
  const until = async (claim: () => boolean): Promise<void> => {
    for (let looks = 0; !claim(); looks += 1) {
      assert.ok(looks < 500, `${held(one)} and ${held(two)} partitions`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  await until(() => held(one) === 4 && held(two) === 4)
  await one.stop()
  await until(() => held(two) === 8)
  await here.send(half('a@x', ''), half('b@x', ''), half('c@x', ''))
  assert.deepEqual((await here.outputs(3)).toSorted(), ['a@x 2', 'b@x 2', 'c@x 2'])
})

test('design §3.11: after a lost bus the engine goes on in the next incarnation', async () => {
  await using here = await cell()
  const engine = await here.engine()
  await here.send(half('a@x', ''))
  await here.outputs(1)
  const before = engine.status()
  here.broker.clear()
  for (
    let looks = 0;
    (engine.status()?.partitions.length ?? 0) < partitions ||
    engine.status()?.router === before?.router;
    looks += 1
  ) {
    assert.ok(looks < 500, 'no new router')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.equal(engine.status()?.incarnation, (before?.incarnation ?? 0) + 1)
})
