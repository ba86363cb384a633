import type { InputFrame, Multicast, OutputFrame, Remote, StreamName } from '@tactus/bus'
import type { Clock, Env } from '@tactus/env'
import type { DurableStore, Row } from '@tactus/storage'
import type { Stanza } from '@tactus/xml'
import type { Effect } from './effects.ts'
import {
  type Backlog,
  type Input,
  type LiveStore,
  NeedState,
  type QueueMeta,
  type Turn,
} from './machine.ts'
import type { LoadNeed, Need } from './need.ts'
import { deliveryStream, shardOf, shardStream } from './partition.ts'
import type { EntityState, QueueCache, QueuedStanza, QueueItem, Store, WorkItem } from './state.ts'
import type { Step } from './step.ts'

/** One for all: it carries nothing, and a stack trace for each would cost more than the handlers. */
const needState = new NeedState('state is not loaded yet')

/** What a turn has besides its step. */
export interface TurnPorts {
  readonly env: Env
  readonly clock: Clock
  /** Milliseconds to add to wall clock to get the owners' steady time (timers). */
  steadyOffset(): number
  /** False only where a test proves that deferring reads is needed. */
  readonly deferReads: boolean
}

/**
 * The overlay of one input: writes go straight to the owner's cache and are taken back when the input does not
 * succeed, because nearly all of them do.
 *
 * One instance serves all inputs one after another; nobody may keep it.
 */
export class StepTurn implements Turn {
  readonly #ports: TurnPorts
  readonly #undo: (() => void)[] = []
  /** Stores and queues that became unreadable in this very turn. */
  readonly #own: Set<Store> = new Set()
  readonly sends: (InputFrame | Omit<Multicast, 'kind'>)[] = []
  #item!: WorkItem
  #state!: EntityState
  #step!: Step
  #mark = 0
  #bytes = 0
  #now: number | undefined
  need: Need | undefined

  constructor(ports: TurnPorts) {
    this.#ports = ports
  }

  begin(item: WorkItem, step: Step): void {
    this.#item = item
    this.#state = item.entity
    this.#step = step
    this.#mark = step.effects.length
    this.#bytes = step.bytes
    this.#now = undefined
    this.need = undefined
  }

  /** Takes everything back. */
  rollback(): void {
    for (let i = this.#undo.length - 1; i >= 0; i -= 1) this.#undo[i]?.()
    this.#step.effects.length = this.#mark
    this.#step.bytes = this.#bytes
    this.end()
  }

  end(): void {
    this.#undo.length = 0
    this.sends.length = 0
    this.#own.clear()
  }

  get entity(): string {
    return this.#state.id
  }

  get partition(): number {
    return this.#state.partition.id
  }

  get input(): Input {
    return this.#item.input
  }

  get replayed(): boolean {
    return this.#item.origin === 'replay'
  }

  get now(): number {
    this.#now ??= this.#ports.clock.now()
    return this.#now
  }

  random(length: number): Uint8Array {
    return this.#ports.env.random(length)
  }

  get<T>(store: LiveStore<T> | DurableStore<T>, key = ''): T | undefined {
    if (store.kind === 'live')
      return this.#live()
        .get(store as Store)
        ?.get(key) as T | undefined
    return this.#durable(store as DurableStore<unknown>, key) as T | undefined
  }

  all<T>(store: LiveStore<T>): ReadonlyMap<string, T> {
    return (this.#live().get(store as Store) ?? new Map()) as ReadonlyMap<string, T>
  }

  set<T>(store: LiveStore<T> | DurableStore<T>, key: string, value: T | undefined): void {
    if (store.kind === 'live') this.#setLive(store as LiveStore<unknown>, key, value)
    else this.#setDurable(store as DurableStore<unknown>, key, value)
  }

  insert(store: DurableStore<unknown>, table: string, row: Row): void {
    this.#row({ effect: 'insert', entity: this.#state, store, table, key: [], row })
  }

  upsert(store: DurableStore<unknown>, table: string, key: readonly string[], row: Row): void {
    this.#row({ effect: 'upsert', entity: this.#state, store, table, key, row })
  }

  remove(store: DurableStore<unknown>, table: string, key: readonly string[], row: Row): void {
    this.#row({ effect: 'remove', entity: this.#state, store, table, key, row })
  }

  clear(store: DurableStore<unknown>, table: string, where: Row): void {
    this.#row({ effect: 'clear', entity: this.#state, store, table, key: [], row: where })
  }

  send(frame: InputFrame): void {
    this.sends.push(frame)
  }

  multicast(frame: Omit<Multicast, 'kind'>): void {
    this.sends.push(frame)
  }

  output(instance: string, frame: OutputFrame): void {
    if ('stanza' in frame) this.#step.bytes += frame.stanza.bytes.length
    this.#step.effects.push({ effect: 'emit', stream: deliveryStream(instance), frame })
  }

  remote(
    frame: Omit<Remote, 'kind'>,
    stream: StreamName = shardStream(shardOf(frame.from, frame.to)),
  ): void {
    this.#step.bytes += frame.stanza.bytes.length
    this.#step.effects.push({ effect: 'emit', stream, frame: { kind: 'remote', ...frame } })
  }

  committed(instance: string, session: string, seq: number, h: number): void {
    this.#step.effects.push({ effect: 'committed', instance, session, seq, h })
  }

  queue(session: string): readonly { readonly n: number; readonly meta: QueueMeta }[] {
    const cache = this.#queue(session)
    return cache.items.slice(cache.head)
  }

  backlog(session: string): Backlog {
    const { items, head, bytes } = this.#queue(session)
    return { count: items.length - head, bytes, oldest: items[head]?.n }
  }

  enqueue(session: string, n: number, stanza: Stanza, meta: QueueMeta): void {
    // A session's numbers begin at 1, so its first stanza tells that there is nothing to load.
    let cache = this.#state.queues.get(session)
    if (!cache && n === 1) {
      cache = { items: [], head: 0, bytes: 0 }
      this.#state.queues.set(session, cache)
    }
    // What is queued must be known before something is added to it, so that `queued` needs no commit of this step.
    cache ??= this.#queue(session)
    const { items } = cache
    const item: QueueItem = { n, meta, stanza }
    const queue = cache
    const size = meta.size ?? 0
    items.push(item)
    queue.bytes += size
    this.#undo.push(() => {
      items.pop()
      queue.bytes -= size
    })
    this.#setDirty(session)
    this.#step.bytes += stanza.bytes.length
    this.#step.effects.push({ effect: 'enqueue', session, n, stanza, meta, item })
  }

  trim(session: string, n: number | undefined): void {
    const cache = this.#state.queues.get(session)
    if (cache) {
      const { head, bytes } = cache
      while (cache.head < cache.items.length && isUpTo(cache.items[cache.head], n)) {
        cache.bytes -= cache.items[cache.head]?.meta.size ?? 0
        cache.head += 1
      }
      this.#undo.push(() => {
        cache.head = head
        cache.bytes = bytes
      })
    }
    this.#setDirty(session)
    this.#step.effects.push({ effect: 'trim', session, n })
  }

  queued(session: string): readonly QueuedStanza[] {
    const cache = this.#queue(session)
    const items = cache.items.slice(cache.head)
    const loaded = this.#state.queued?.get(session)
    const read = new Map(loaded?.map(({ n, stanza }) => [n, stanza]))
    // Also when a step was committed after the read: what it queued is on the bus only now.
    if (items.some(({ n, stanza }) => stanza === undefined && !read.has(n)))
      throw this.#missing({ need: 'queue', session, payloads: true })
    return items.flatMap(({ n, meta, stanza = read.get(n) }) =>
      stanza ? [{ n, meta, stanza }] : [],
    )
  }

  timer(name: string, at: number | undefined, data = ''): void {
    const { timers } = this.#loaded()
    const before = timers.get(name)
    if (at === undefined) timers.delete(name)
    else timers.set(name, { at: at + this.#ports.steadyOffset(), data })
    this.#undo.push(() => (before ? timers.set(name, before) : timers.delete(name)))
    this.#step.effects.push({ effect: 'timer', entity: this.#state, name })
  }

  job(id: string, spec: unknown): void {
    this.#step.effects.push({ effect: 'job', entity: this.#state, id, spec: { value: spec } })
  }

  attach(instance: string, id: string): void {
    this.#step.effects.push({ effect: 'attach', entity: this.#state, instance, id })
  }

  detach(instance: string, id: string): void {
    this.#step.effects.push({ effect: 'detach', entity: this.#state, instance, id })
  }

  /** An answered job needs its note no longer, unless its answer's handler notes it again. */
  answered(id: string): void {
    this.#step.effects.push({ effect: 'job', entity: this.#state, id, spec: undefined })
  }

  #loaded(): EntityState {
    if (!this.#state.live) throw this.#missing({ need: 'live' })
    return this.#state
  }

  #live(): Map<Store, Map<string, unknown>> {
    if (!this.#state.live) throw this.#missing({ need: 'live' })
    return this.#state.live
  }

  #durable(store: DurableStore<unknown>, key: string): unknown {
    const values = this.#state.durable.get(store)
    if (values?.has(key)) return values.get(key)
    if (this.#own.has(store))
      throw new Error(`${store.name} is read in the turn that added rows to it`)
    throw this.#missing({ need: 'durable', store, key }, store)
  }

  #queue(session: string): QueueCache {
    const cache = this.#state.queues.get(session)
    if (!cache) throw this.#missing({ need: 'queue', session, payloads: false }, session)
    return cache
  }

  #missing(need: LoadNeed, pair?: Store | string): NeedState {
    const step = pair === undefined ? undefined : this.#state.dirty.get(pair)
    const deferred = step !== undefined && this.#ports.deferReads
    this.need = deferred ? { need: 'commit', step } : need
    return needState
  }

  #setLive(store: LiveStore<unknown>, key: string, value: unknown): void {
    const live = this.#live()
    let values = live.get(store)
    if (!values) {
      values = new Map()
      live.set(store, values)
    }
    this.#replace(values, key, value)
    if (value === undefined) values.delete(key)
    this.#step.effects.push({ effect: 'live', entity: this.#state, store, key })
  }

  #setDurable(store: DurableStore<unknown>, key: string, after: unknown): void {
    const before = this.#durable(store, key)
    const values = this.#state.durable.get(store)
    if (values) this.#replace(values, key, after)
    this.#step.effects.push({ effect: 'set', entity: this.#state, store, key, before, after })
  }

  #replace(values: Map<string, unknown>, key: string, value: unknown): void {
    const had = values.has(key)
    const before = values.get(key)
    values.set(key, value)
    this.#undo.push(() => (had ? values.set(key, before) : values.delete(key)))
  }

  #row(effect: Extract<Effect, { effect: 'insert' | 'upsert' | 'remove' | 'clear' }>): void {
    const { durable } = this.#state
    const cached = durable.get(effect.store)
    if (cached) {
      durable.delete(effect.store)
      this.#undo.push(() => durable.set(effect.store, cached))
    }
    this.#own.add(effect.store)
    this.#setDirty(effect.store)
    this.#step.effects.push(effect)
  }

  #setDirty(pair: Store | string): void {
    const { dirty } = this.#state
    const before = dirty.get(pair)
    if (before === this.#step.number) return
    dirty.set(pair, this.#step.number)
    this.#undo.push(() => (before === undefined ? dirty.delete(pair) : dirty.set(pair, before)))
  }
}

/** The bus has what a step queued: it need not be held here any more. */
export function releasePayloads(step: Step): void {
  for (const effect of step.effects) if (effect.effect === 'enqueue') effect.item.stanza = undefined
}

function isUpTo(item: { readonly n: number } | undefined, n: number | undefined): boolean {
  return item !== undefined && (n === undefined || item.n <= n)
}
