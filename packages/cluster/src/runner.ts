import type { InputFrame, Multicast } from '@tactus/bus'
import { type Machine, NeedState } from './machine.ts'
import { entityOf, partitionStream } from './partition.ts'
import { type EntityState, unitName, WorkItem } from './state.ts'
import type { Step, StepCaps } from './step.ts'
import { StepTurn, type TurnPorts } from './turn.ts'
import { unitsOf, type Workload } from './workload.ts'

/** What the runner tells of single inputs. */
export interface RunnerHooks {
  /** A handler threw, twice when `failed` did as well; the input is done. */
  failed(error: unknown, item: WorkItem): void
  /** A frame had no passages left (design §3.10). */
  looped(frame: InputFrame): void
}

/** Everything the runner needs besides what waits. */
export interface RunnerOptions {
  readonly machine: Machine
  readonly ports: TurnPorts
  readonly caps: StepCaps
  readonly hooks: RunnerHooks
  /** A unit that killed its owners: keeps it for the operator, as a row of the step. */
  deadLetter(item: WorkItem, step: Step): void
  /** False only where a test proves that the barrier is needed. */
  readonly barrier: boolean
}

/** Runs inputs into a step (design §3.3): synchronous, one after another. */
export class Runner {
  readonly #workload: Workload
  readonly #options: RunnerOptions
  readonly #turn: StepTurn
  /** Inputs that may begin a step; lowered while refused rows are looked for (design §3.10). */
  roots: number = Number.POSITIVE_INFINITY

  constructor(workload: Workload, options: RunnerOptions) {
    this.#workload = workload
    this.#options = options
    this.#turn = new StepTurn(options.ports)
  }

  isFull(step: Step): boolean {
    return step.full(this.#options.caps, this.roots)
  }

  /** Runs what can run until nothing can or the step is full. */
  rounds(step: Step): void {
    const { clock } = this.#options.ports
    const begun = clock.monotonic()
    const before = step.time
    for (let runs = 1; !this.isFull(step); runs += 1) {
      const entity = this.#workload.next()
      if (!entity) break
      this.runNext(entity, step)
      if ((runs & 15) === 0) step.time = before + clock.monotonic() - begun
    }
    step.time = before + clock.monotonic() - begun
  }

  /** Runs the first input of an entity, or finds what that waits for. */
  runNext(entity: EntityState, step: Step): void {
    const item = entity.queue.peek()
    if (!item) return
    entity.used = true
    // Whatever runs nearly always looks at live state: asking first spares a throw.
    if (!entity.live) return this.#workload.wait(entity, { need: 'live' })
    if (this.#run(item, step)) {
      entity.queue.shift()
      entity.partition.backlog -= 1
      entity.queued = undefined
      this.#workload.ready(entity)
      return
    }
    const { need } = this.#turn
    if (need?.need === 'commit') this.#workload.defer(entity, need.step)
    else if (need) this.#workload.wait(entity, need)
  }

  #run(item: WorkItem, step: Step): boolean {
    if (item.input.kind === 'timer' && !this.#fires(item, step)) return this.#finish(item, step)
    if (isDeadLetter(item))
      item.failure ??= { error: new Error('this input killed its owners'), final: false }
    if (item.failure?.final) return this.#finish(item, step)
    if (!item.failure) {
      const error = this.#attempt(item, step, (turn) => this.#options.machine.run(turn))
      if (!error) return this.#finish(item, step)
      if (error.error instanceof NeedState) return false
      item.failure = { error: error.error, final: false }
      this.#options.hooks.failed(error.error, item)
    }
    const { failure } = item
    const error = this.#attempt(item, step, (turn) =>
      this.#options.machine.failed(turn, failure.error),
    )
    if (error?.error instanceof NeedState) return false
    if (error) this.#options.hooks.failed(error.error, item)
    return this.#finish(item, step)
  }

  /** One try of one handler; whatever it throws is answered with its effects taken back. */
  #attempt(
    item: WorkItem,
    step: Step,
    handler: (turn: StepTurn) => void,
  ): { readonly error: unknown } | undefined {
    const turn = this.#turn
    turn.begin(item, step)
    try {
      settle(item, turn)
      handler(turn)
    } catch (error) {
      turn.rollback()
      return { error: turn.need ? missing : asFault(error) }
    }
    // A handler may have caught it; what it did without the state is worth nothing.
    if (turn.need) {
      turn.rollback()
      return { error: missing }
    }
    for (const frame of turn.sends) this.#route(item, step, frame)
    turn.end()
    return undefined
  }

  /** False for a timer that was cancelled or set anew after it became an input. */
  #fires(item: WorkItem, step: Step): boolean {
    const { entity, input } = item
    if (input.kind !== 'timer') return false
    const { clock, steadyOffset } = this.#options.ports
    const timer = entity.timers.get(input.name)
    if (timer && timer.at <= clock.now() + steadyOffset()) {
      item.input = { ...input, data: timer.data }
      return true
    }
    step.effects.push({ effect: 'timer', entity, name: input.name })
    return false
  }

  #finish(item: WorkItem, step: Step): true {
    if (isDeadLetter(item)) this.#options.deadLetter(item, step)
    step.consume(item)
    return true
  }

  #route(from: WorkItem, step: Step, sent: InputFrame | Omit<Multicast, 'kind'>): void {
    let frame: InputFrame = 'kind' in sent ? sent : { kind: 'multicast', ...sent }
    if (frame.kind === 'half' || frame.kind === 'multicast') {
      const hops = Math.min(frame.hops, hopsLeft(from))
      if (hops <= 0) return this.#options.hooks.looped(frame)
      if (hops < frame.hops) frame = { ...frame, hops }
      step.bytes += frame.stanza.bytes.length
    }
    if (frame.kind !== 'multicast')
      return this.#deliver(step, frame, this.#workload.partitionOf(frame.entity))
    const groups = Map.groupBy(frame.recipients, (recipient) =>
      this.#workload.partitionOf(entityOf(recipient)),
    )
    for (const [partition, recipients] of groups)
      this.#deliver(step, groups.size === 1 ? frame : { ...frame, recipients }, partition)
  }

  /** Within this step where the recipient is ours and nothing of ours is on its way to it (design §4, §5). */
  #deliver(step: Step, frame: InputFrame, partition: number): void {
    const own = this.#workload.partitions.get(partition)
    if (!own || own.draining) {
      step.effects.push({ effect: 'emit', stream: partitionStream(partition), frame })
      return
    }
    const units = unitsOf(frame)
    const entities = units.map((unit) => this.#workload.entity(unit.entity, own))
    const barred = own.careful || (this.#options.barrier && (own.barrier || !own.settled))
    if (barred || entities.some((entity) => entity.viaStream > 0 || step.viaStream.has(entity))) {
      step.effects.push({ effect: 'emit', stream: own.stream, frame })
      for (const entity of entities) step.sendVia(entity)
      return
    }
    const items = entities.map(
      (entity, i) => new WorkItem(entity, units[i]?.input ?? frame, 'inline'),
    )
    step.effects.push({ effect: 'inline', frame, stream: own.stream, items })
    for (const item of items) {
      step.inline.push(item)
      this.#workload.add(item)
    }
  }
}

const missing = new NeedState('state is not loaded yet')

function asFault(error: unknown): unknown {
  return error instanceof NeedState
    ? new Error('a handler made a NeedState', { cause: error })
    : error
}

/** What came of an input's own bookkeeping: a timer that fires is gone, a job that is answered as well. */
function settle(item: WorkItem, turn: StepTurn): void {
  if (item.origin !== 'owner') return
  const { input } = item
  if (input.kind === 'timer') turn.timer(input.name, undefined)
  else if (input.kind === 'job') turn.answered(input.id)
}

function isDeadLetter({ entry, unit, entity }: WorkItem): boolean {
  const { careful } = entity.partition
  return (
    careful?.deadLetter !== undefined &&
    entry !== undefined &&
    careful.deadLetter === unitName(entry.position, unit)
  )
}

function hopsLeft({ input }: WorkItem): number {
  return input.kind === 'half' || input.kind === 'multicast' ? input.hops - 1 : 16
}
