import {
  type Bus,
  BusUnavailable,
  IncarnationChanged,
  type Operation,
  type Position,
} from '@tactus/bus'
import { type Env, sleep } from '@tactus/env'
import type { Storage } from '@tactus/storage'
import { runCareful } from './careful.ts'
import { type Applied, CommitLine } from './commit-line.ts'
import { deadLetterEffect } from './dead-letter.ts'
import type { EngineHooks, Safeguard } from './hooks.ts'
import { Loader } from './loader.ts'
import type { Machine } from './machine.ts'
import { allReplayed } from './meta.ts'
import { Outbox, type Passed } from './outbox.ts'
import { noteAppends } from './own-appends.ts'
import { OwnerInputs } from './owner-inputs.ts'
import { PartitionReader } from './partition-reader.ts'
import { Runner } from './runner.ts'
import { seal } from './seal.ts'
import type { Sealed } from './sealed.ts'
import { settleEntity } from './settle.ts'
import { Signal } from './signal.ts'
import type { PartitionState, WorkItem } from './state.ts'
import { SteadyClock } from './steady-clock.ts'
import { Step, type StepCaps } from './step.ts'
import { throwAway } from './throw-away.ts'
import { releasePayloads } from './turn.ts'
import { type Waiting, Workload } from './workload.ts'

/** Why a router's life ended. A new one begins under a new id. */
export type EndReason = 'fenced' | 'lost' | 'stopped'

/** What a router is made of. */
export interface RouterOptions {
  readonly id: string
  readonly env: Env
  readonly bus: Bus
  readonly storage: Storage
  readonly machine: Machine
  readonly partitions: number
  readonly caps: StepCaps
  readonly records: 'all' | 'needed' | 'none'
  readonly cachedEntities: number
  readonly without: ReadonlySet<Safeguard>
  readonly hooks: EngineHooks
}

/** Real milliseconds of steps after which sockets and timers of this process get their turn. */
const yieldAfter = 25

/** One boot of a router: runs the steps of the partitions it holds (design §3.3) until it is fenced or stopped. */
export class Router {
  readonly id: string
  readonly workload: Workload
  readonly outbox: Outbox
  readonly owner: OwnerInputs
  readonly #options: RouterOptions
  readonly #abort = new AbortController()
  readonly #ended = Promise.withResolvers<EndReason>()
  readonly #signal = new Signal()
  readonly #reader: PartitionReader
  readonly #runner: Runner
  readonly #loader: Loader
  readonly #line: CommitLine
  readonly #clock: SteadyClock
  readonly #flushes: { readonly step: number; readonly resolve: () => void }[] = []
  readonly #arriving = new Map<number, PartitionState>()
  #open = new Step(1)
  #inflight: Sealed | undefined
  #applied = 0
  #suspects = new Set<WorkItem>()
  #yielded = 0
  #forgetDue = false
  inputs = 0
  /** Length of each own stream at the last heartbeat. */
  readonly lag: Map<string, number> = new Map()

  constructor(options: RouterOptions) {
    const { id, env, bus, storage, machine, without, hooks } = options
    this.id = id
    this.#options = options
    this.workload = new Workload(options.partitions)
    this.outbox = new Outbox({ atOnce: without.has('retention') })
    this.#clock = new SteadyClock(env.clock)
    const { clock } = env
    const notify = (): void => this.#signal.notify()
    this.#reader = new PartitionReader({ bus, clock, workload: this.workload, notify })
    this.owner = new OwnerInputs({
      env,
      bus,
      machine,
      workload: this.workload,
      clock: this.#clock,
      wake: () => this.#signal.notify(),
    })
    const problem = (event: string, error: unknown): void => hooks.problem?.(event, error)
    this.#loader = new Loader({ bus, storage, stores: machine.stores, problem })
    const { signal } = this.#abort
    this.#line = new CommitLine({ bus, storage, env, router: id, records: options.records, signal })
    this.#runner = new Runner(this.workload, {
      machine,
      caps: options.caps,
      ports: {
        env,
        clock: env.clock,
        steadyOffset: () => this.#clock.offset(),
        deferReads: !without.has('deferred-read'),
      },
      hooks: {
        failed: (error, item) =>
          hooks.problem?.('input_failed', error, { entity: item.entity.id, kind: item.input.kind }),
        looped: (frame) => hooks.problem?.('frame_looped', undefined, { kind: frame.kind }),
      },
      deadLetter: (item, step) => step.effects.push(deadLetterEffect(item, id, env.clock.now())),
      barrier: !without.has('barrier'),
    })
  }

  get ended(): Promise<EndReason> {
    return this.#ended.promise
  }

  get alive(): boolean {
    return !this.#abort.signal.aborted
  }

  get step(): number {
    return this.#applied
  }

  start(): void {
    void this.#main()
    this.#reader.run().catch((error) => this.fail(error))
  }

  /** Ends this router for good; what it holds in memory is worth nothing any more. */
  end(reason: EndReason): void {
    if (!this.alive) return
    this.#abort.abort()
    this.#reader.stop()
    this.#signal.notify()
    this.owner.stop()
    for (const { resolve } of this.#flushes.splice(0)) resolve()
    this.#ended.resolve(reason)
  }

  /** A fault of ours: going on with what is in memory could write nonsense, so it is dropped. */
  fail(error: unknown): void {
    if (!this.alive) return
    if (error instanceof IncarnationChanged) return this.end('lost')
    this.#options.hooks.problem?.('router_failed', error)
    this.end('fenced')
  }

  /** Adds operations of the engine's own to the next step; resolves when they are applied, or the router ended. */
  async note(operations: readonly Operation[]): Promise<void> {
    this.#open.extra.push(...operations)
    await this.flush()
  }

  /** Resolves when everything that ran so far is committed, or the router ended. */
  async flush(): Promise<void> {
    if (!this.alive) return
    const step = this.#open.hasWork ? this.#open.number : this.#open.number - 1
    if (step <= this.#applied) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#flushes.push({ step, resolve })
    this.#signal.notify()
    await promise
  }

  /**
   * Partitions are about to be acquired: what steps of before that moment sent to them is in their streams, or on its way there.
   */
  expect(partitions: readonly PartitionState[]): void {
    for (const partition of partitions) this.#arriving.set(partition.id, partition)
  }

  /** Begins to run partitions; their tails and those of all others must have been put in `barrier` before. */
  hold(partitions: readonly PartitionState[]): void {
    for (const partition of partitions) {
      this.#arriving.delete(partition.id)
      partition.arrivedIn = this.#open.number
      this.workload.partitions.set(partition.id, partition)
    }
    this.#reader.reread()
    this.#signal.notify()
  }

  /** Stops running partitions, finishes the step they are in, and forgets them. */
  async letGo(partitions: readonly PartitionState[]): Promise<void> {
    for (const partition of partitions) partition.draining = true
    await this.flush()
    if (!this.alive) return
    for (const partition of partitions) this.workload.drop(partition)
    for (const item of this.#suspects)
      if (item.entity.partition.draining) this.#suspects.delete(item)
    this.#relax()
    this.#reader.reread()
  }

  /** Regular work: due timers, records that nobody needs any more, the cache's bound. */
  async tend(): Promise<void> {
    this.#clock.adjust()
    await this.owner.pollTimers()
    await this.outbox.poll(this.#options.bus)
    this.workload.sweep(this.#options.cachedEntities, this.#applied)
    if (this.outbox.due) this.#forgetDue = true
    if (this.#forgetDue) this.#signal.notify()
  }

  /** Wakes the loop after inputs were added from outside. */
  wake(): void {
    this.#signal.notify()
  }

  async #main(): Promise<void> {
    try {
      while (this.alive) {
        await this.#fill()
        if (!this.alive) return
        if (!this.#inflight && this.#hasWork()) {
          this.#begin()
          await this.#breathe()
        } else {
          if (!this.#inflight) this.#flushed(Number.POSITIVE_INFINITY)
          await this.#signal.wait()
        }
      }
    } catch (error) {
      this.fail(error)
    }
  }

  #hasWork(): boolean {
    return this.#open.hasWork || this.workload.empty.length > 0 || this.#forgetDue
  }

  /** Sockets of the same process live in the event loop, and a memory bus never waits for it. */
  async #breathe(): Promise<void> {
    const now = this.#options.env.clock.monotonic()
    if (now - this.#yielded < yieldAfter) return
    await sleep(this.#options.env.clock, 0, this.#abort.signal)
    this.#yielded = this.#options.env.clock.monotonic()
  }

  /** Runs what waits, loading what it needs, until nothing can run or the step is full. */
  async #fill(): Promise<void> {
    while (this.alive) {
      const line = {
        open: this.#open,
        committing: this.#inflight !== undefined,
        applied: this.#applied,
      }
      if (!runCareful(this.workload, this.#runner, line)) this.#runner.rounds(this.#open)
      const { waiting } = this.workload
      if (waiting.length === 0 || this.#runner.isFull(this.#open)) return
      this.workload.waiting = []
      const { ready, later } = await this.#loader.load(waiting)
      for (const entity of ready) this.workload.wake(entity)
      if (later.length > 0) this.#retry(later)
    }
  }

  #retry(later: readonly Waiting[]): void {
    this.#options.env.clock.after(100, () => {
      for (const { entity } of later) this.workload.wake(entity)
      this.#signal.notify()
    })
  }

  #begin(): void {
    const step = this.#open
    let sealed: Sealed
    try {
      sealed = seal(step, this.workload, this.id)
    } catch (error) {
      return this.#discard(step, undefined, error)
    }
    for (const entity of step.viaStream) entity.viaStream += 1
    const durable = sealed.durable || this.#forgetDue
    const forget = durable ? this.outbox.take() : []
    this.#forgetDue = false
    this.#inflight = sealed
    this.#open = new Step(step.number + 1)
    this.#commit(sealed, forget).catch((error) => this.fail(error))
  }

  async #commit(sealed: Sealed, forget: readonly Passed[]): Promise<void> {
    const { clock } = this.#options.env
    const begun = clock.monotonic()
    const candidates = this.outbox.candidates()
    const outcome = await this.#line.commit(sealed, forget)
    if (!this.alive) return
    if (outcome.outcome === 'fenced' || outcome.outcome === 'lost') return this.end(outcome.outcome)
    if (outcome.outcome === 'refused') {
      this.#inflight = undefined
      this.outbox.giveBack(forget, candidates)
      this.#discard(sealed.step, sealed, outcome.error)
    } else {
      const positions = await this.#positions(sealed, outcome)
      if (!this.alive) return
      this.#inflight = undefined
      this.outbox.prove(candidates)
      this.#onApplied(sealed, positions, outcome.kept)
      this.#options.hooks.step?.({
        inputs: sealed.consumed.length,
        operations: sealed.operations.length,
        rows: outcome.durable,
        bytes: sealed.step.bytes,
        run: sealed.step.time,
        commit: clock.monotonic() - begun,
      })
    }
    this.#signal.notify()
  }

  /** Where the step's appends went; what an earlier attempt appended is somewhere up to the streams' ends. */
  async #positions(sealed: Sealed, outcome: Applied): Promise<readonly Position[]> {
    if (outcome.positions.length === sealed.appends.length) return outcome.positions
    while (this.alive) {
      try {
        const extents = await this.#options.bus.extent(sealed.appends)
        return sealed.appends.map((stream) => extents.get(stream)?.last ?? '0')
      } catch (error) {
        if (!(error instanceof BusUnavailable)) throw error
        await sleep(this.#options.env.clock, 50, this.#abort.signal)
      }
    }
    return []
  }

  #onApplied(sealed: Sealed, positions: readonly Position[], kept: boolean): void {
    const { step } = sealed
    this.#applied = sealed.number
    this.inputs += sealed.consumed.length
    const waits = noteAppends(sealed, positions, this.workload, this.#arriving)
    if (kept) this.outbox.track(this.id, sealed.number, waits)
    for (const entity of step.entities) settleEntity(entity, sealed.number)
    releasePayloads(step)
    this.workload.release(sealed.number)
    this.owner.onApplied(sealed)
    for (const item of sealed.consumed) this.#done(item)
    for (const partition of this.workload.partitions.values())
      if (partition.careful) this.workload.readBack(partition)
    this.#flushed(this.#applied)
    this.#reader.relieve()
  }

  /** Nothing up to `step` is on its way any more; a step that was thrown away may not come again. */
  #flushed(step: number): void {
    for (let first = this.#flushes[0]; first && first.step <= step; first = this.#flushes[0]) {
      this.#flushes.shift()
      first.resolve()
    }
  }

  #done(item: WorkItem): void {
    if (this.#suspects.delete(item)) this.#relax()
    if (item.origin !== 'replay') return
    const { partition } = item.entity
    partition.replays -= 1
    if (partition.replays === 0) this.#open.extra.push(...allReplayed(partition))
  }

  /** Throws a step away that cannot be written, and the one computed on top of it (design §3.10). */
  #discard(step: Step, sealed: Sealed | undefined, error: unknown): void {
    const { next, roots } = throwAway(
      this.workload,
      { step, sealed, open: this.#open },
      this.#applied,
    )
    this.#open = next
    this.#options.hooks.problem?.('step_refused', error, { inputs: roots.length })
    const [only] = roots
    if (!only) return this.fail(error)
    if (roots.length > 1) {
      this.#suspects = new Set(roots)
      this.#runner.roots = Math.floor(roots.length / 2)
      return
    }
    only.failure = { error, final: only.failure !== undefined }
    this.#suspects.delete(only)
    this.#relax()
  }

  #relax(): void {
    if (this.#suspects.size === 0) this.#runner.roots = Number.POSITIVE_INFINITY
  }
}
