import { type Bus, BusUnavailable } from '@tactus/bus'
import { type DurableStore, type StateKey, type Storage, StorageUnavailable } from '@tactus/storage'
import { Stanza } from '@tactus/xml'
import { unpack } from 'msgpackr'
import { liveKey, splitField } from './keys.ts'
import type { LiveStore, QueueMeta } from './machine.ts'
import type { LoadNeed } from './need.ts'
import type { EntityState, Store, TimerState } from './state.ts'
import type { Waiting } from './workload.ts'

/** What became of a group of loads: those in `later` are to be tried again after a while. */
export interface Loaded {
  readonly ready: readonly EntityState[]
  readonly later: readonly Waiting[]
}

type Durable = Extract<LoadNeed, { need: 'durable' }>
type Queue = Extract<LoadNeed, { need: 'queue' }>

/**
 * Reads the state that a round of inputs found missing, in as few reads as there are places: one for all live state,
 * one for each durable store, one for each queue.
 */
export class Loader {
  readonly #bus: Bus
  readonly #storage: Storage
  readonly #live = new Map<string, LiveStore<unknown>>()
  readonly #problem: (event: string, error: unknown) => void

  constructor(options: {
    readonly bus: Bus
    readonly storage: Storage
    readonly stores: readonly Store[]
    readonly problem: (event: string, error: unknown) => void
  }) {
    this.#bus = options.bus
    this.#storage = options.storage
    this.#problem = options.problem
    for (const store of options.stores) if (store.kind === 'live') this.#live.set(store.name, store)
  }

  /** @throws {IncarnationChanged} */
  async load(waiting: readonly Waiting[]): Promise<Loaded> {
    const live: Waiting[] = []
    const durable = new Map<DurableStore<unknown>, Waiting[]>()
    const loads: Promise<Loaded>[] = []
    for (const waiter of waiting) {
      if (waiter.need.need === 'live') live.push(waiter)
      else if (waiter.need.need === 'queue') loads.push(this.#queue(waiter, waiter.need))
      else {
        const group = durable.get(waiter.need.store)
        if (group) group.push(waiter)
        else durable.set(waiter.need.store, [waiter])
      }
    }
    if (live.length > 0) loads.push(this.#liveState(live))
    for (const [store, group] of durable) loads.push(this.#durable(store, group))
    const results = await Promise.all(loads)
    return {
      ready: results.flatMap(({ ready }) => ready),
      later: results.flatMap(({ later }) => later),
    }
  }

  async #liveState(waiting: readonly Waiting[]): Promise<Loaded> {
    try {
      const hashes = await this.#bus.hashes(waiting.map(({ entity }) => liveKey(entity.id)))
      for (const { entity } of waiting) this.#decode(entity, hashes.get(liveKey(entity.id)))
      return { ready: waiting.map(({ entity }) => entity), later: [] }
    } catch (error) {
      return this.#postpone(waiting, error)
    }
  }

  #decode(entity: EntityState, fields: ReadonlyMap<string, Uint8Array> | undefined): void {
    entity.live = new Map()
    entity.timers = new Map()
    for (const [name, bytes] of fields ?? []) {
      const [storeName, key] = splitField(name)
      try {
        if (storeName === '') entity.timers.set(key, unpack(bytes) as TimerState)
        else this.#decodeValue(entity.live, this.#live.get(storeName), key, bytes)
      } catch (error) {
        this.#problem('live_state_unreadable', error)
      }
    }
  }

  #decodeValue(
    live: Map<Store, Map<string, unknown>>,
    store: LiveStore<unknown> | undefined,
    key: string,
    bytes: Uint8Array,
  ): void {
    // A release without this module left it here; it stays for the next one that knows it.
    if (!store) return
    const values = live.get(store)
    const value = store.decode(unpack(bytes))
    if (values) values.set(key, value)
    else live.set(store, new Map([[key, value]]))
  }

  async #durable(store: DurableStore<unknown>, waiting: readonly Waiting[]): Promise<Loaded> {
    const keys = new Map<string, StateKey>()
    for (const { entity, need } of waiting) {
      const key: StateKey = { entity: entity.id, key: (need as Durable).key }
      keys.set(`${key.entity}\0${key.key}`, key)
    }
    try {
      const found = await store.load(this.#storage.reader, [...keys.values()])
      for (const { entity, need } of waiting) {
        const { key } = need as Durable
        let values = entity.durable.get(store)
        if (!values) {
          values = new Map()
          entity.durable.set(store, values)
        }
        values.set(key, found.get(`${entity.id}\0${key}`))
      }
      return { ready: waiting.map(({ entity }) => entity), later: [] }
    } catch (error) {
      if (error instanceof StorageUnavailable) return this.#postpone(waiting, error)
      return this.#alone(store, waiting, error)
    }
  }

  /** One key that the store cannot read must not keep the others from theirs (design §3.10). */
  async #alone(
    store: DurableStore<unknown>,
    waiting: readonly Waiting[],
    error: unknown,
  ): Promise<Loaded> {
    if (waiting.length > 1) {
      const results = await Promise.all(waiting.map((waiter) => this.#durable(store, [waiter])))
      return {
        ready: results.flatMap(({ ready }) => ready),
        later: results.flatMap(({ later }) => later),
      }
    }
    this.#problem('state_unreadable', error)
    for (const { entity } of waiting) {
      const item = entity.queue.peek()
      if (item) item.failure = { error, final: item.failure !== undefined }
    }
    return { ready: waiting.map(({ entity }) => entity), later: [] }
  }

  async #queue(waiter: Waiting, need: Queue): Promise<Loaded> {
    const { entity } = waiter
    try {
      const entries = await this.#bus.queue(need.session, 0, Number.MAX_SAFE_INTEGER)
      const items = entries.map(({ n, meta }) => ({ n, meta: unpack(meta) as QueueMeta }))
      if (!entity.queues.has(need.session))
        entity.queues.set(need.session, {
          items: items.map((item) => ({ ...item, stanza: undefined })),
          head: 0,
          bytes: items.reduce((sum, { meta }) => sum + (meta.size ?? 0), 0),
        })
      if (need.payloads) {
        entity.queued ??= new Map()
        entity.queued.set(
          need.session,
          entries.flatMap(({ n, payload }, i) => {
            const meta = items[i]?.meta
            return meta && 'bytes' in payload
              ? [{ n, meta, stanza: Stanza.parse(payload.bytes) }]
              : []
          }),
        )
      }
      return { ready: [entity], later: [] }
    } catch (error) {
      return this.#postpone([waiter], error)
    }
  }

  #postpone(waiting: readonly Waiting[], error: unknown): Loaded {
    if (error instanceof BusUnavailable || error instanceof StorageUnavailable)
      return { ready: [], later: waiting }
    throw error
  }
}
