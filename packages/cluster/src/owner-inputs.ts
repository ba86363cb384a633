import type { Bus } from '@tactus/bus'
import type { Cancel, Env } from '@tactus/env'
import { Fifo } from './fifo.ts'
import { field, splitField } from './keys.ts'
import type { JobResult, Machine } from './machine.ts'
import type { Attachment, NotedJob, Sealed } from './sealed.ts'
import { type EntityState, type PartitionState, WorkItem } from './state.ts'
import type { SteadyClock } from './steady-clock.ts'
import type { Workload } from './workload.ts'

/** Jobs that run at once; the others wait for a place. */
const parallelJobs = 32
/** Milliseconds after which a job counts as failed, so that none keeps its place for ever. */
const jobTimeout = 60_000
/** Timers due within this many milliseconds are waited for one by one; later ones are found by polling. */
const soon = 1_000
/** Dead instances whose late inputs still meet their verdict. */
const rememberedDead = 1000
/** Timers of one partition that become inputs at once. */
const timersAtOnce = 256

/** Inputs that arise in the owner: timers, results of jobs, verdicts on instances (design §5, §3.8). */
export class OwnerInputs {
  readonly #env: Env
  readonly #bus: Bus
  readonly #machine: Machine
  readonly #workload: Workload
  readonly #clock: SteadyClock
  readonly #wake: () => void
  /** The run that counts of each noted job: a job noted anew makes the older answer void. */
  readonly #jobs = new Map<string, NotedJob>()
  readonly #waiting = new Fifo<NotedJob>()
  readonly #dead = new Set<string>()
  /** Of the jobs that run. */
  readonly #deadlines = new Set<Cancel>()
  #running = 0
  #stopped = false

  constructor(options: {
    readonly env: Env
    readonly bus: Bus
    readonly machine: Machine
    readonly workload: Workload
    readonly clock: SteadyClock
    readonly wake: () => void
  }) {
    this.#env = options.env
    this.#bus = options.bus
    this.#machine = options.machine
    this.#workload = options.workload
    this.#clock = options.clock
    this.#wake = options.wake
  }

  stop(): void {
    this.#stopped = true
    this.#waiting.clear()
    // What a job waits for may be closed with us, and then it never ends; nobody waits for it any more.
    for (const cancel of this.#deadlines) cancel()
  }

  /** Makes inputs of the timers that are due on the steady clock (D3). */
  async pollTimers(): Promise<void> {
    const partitions = [...this.#workload.partitions.values()]
    if (partitions.length === 0) return
    const keys = partitions.map(({ timersKey }) => timersKey)
    const due = await this.#bus.due(keys, this.#clock.now(), timersAtOnce)
    if (this.#stopped) return
    for (const partition of partitions) {
      if (this.#workload.partitions.get(partition.id) !== partition || partition.draining) continue
      for (const [member] of due.get(partition.timersKey) ?? []) this.#fire(partition, member)
    }
    this.#wake()
  }

  #fire(partition: PartitionState, member: string): void {
    if (partition.firing.has(member)) return
    partition.firing.add(member)
    const [id, name] = splitField(member)
    const entity = this.#workload.entity(id, partition)
    // The data is known once the entity's live state is loaded.
    this.#workload.add(new WorkItem(entity, { kind: 'timer', entity: id, name, data: '' }, 'owner'))
  }

  /** What a step noted begins when the step is committed. */
  onApplied(sealed: Sealed): void {
    for (const { input, origin, entity } of sealed.consumed)
      if (origin === 'owner' && input.kind === 'timer')
        entity.partition.firing.delete(field(entity.id, input.name))
    for (const effect of sealed.step.effects)
      if (effect.effect === 'timer') this.#expectSoon(effect.entity, effect.name)
    for (const attachment of sealed.attachments) this.#attach(attachment)
    for (const job of sealed.jobs) this.startJob(job)
  }

  /** What is due before the next poll does not wait for it. */
  #expectSoon(entity: EntityState, name: string): void {
    const timer = entity.timers.get(name)
    const delay = timer ? timer.at - this.#clock.now() : Number.POSITIVE_INFINITY
    if (delay > soon) return
    this.#env.clock.after(Math.max(0, Math.ceil(delay)), () => {
      const { partition } = entity
      const isOurs = this.#workload.partitions.get(partition.id) === partition
      if (this.#stopped || !isOurs || partition.draining) return
      this.#fire(partition, field(entity.id, name))
      this.#wake()
    })
  }

  #attach({ entity, instance, id, attached }: Attachment): void {
    const { partition } = entity
    if (attached) {
      noteAttached(partition, instance, entity.id, id)
      // It died before this input of its was run: the verdict follows at once.
      if (this.#dead.has(instance)) this.#verdict(partition, instance, entity.id)
      return
    }
    const entities = partition.attached.get(instance)
    const ids = entities?.get(entity.id)
    ids?.delete(id)
    if (ids?.size === 0) entities?.delete(entity.id)
    if (entities?.size === 0) partition.attached.delete(instance)
  }

  /** Instances that something of the given partitions hangs on. */
  attachedTo(): ReadonlySet<string> {
    const instances = new Set<string>()
    for (const { attached } of this.#workload.partitions.values())
      for (const instance of attached.keys()) instances.add(instance)
    return instances
  }

  /** An instance is dead: everything that hangs on it hears of it, in every partition. */
  declareDead(instance: string): void {
    if (this.#dead.has(instance)) return
    this.#dead.add(instance)
    for (const oldest of this.#dead) {
      if (this.#dead.size <= rememberedDead) break
      this.#dead.delete(oldest)
    }
    for (const partition of this.#workload.partitions.values()) this.#verdicts(partition, instance)
    this.#wake()
  }

  /** It is back after all; what attaches to it from now on is not void. */
  declareAlive(instance: string): void {
    this.#dead.delete(instance)
  }

  /** A partition was acquired: verdicts and jobs of its former owner are taken up again. */
  takeUp(partition: PartitionState, jobs: readonly NotedJob[]): void {
    for (const instance of this.#dead) this.#verdicts(partition, instance)
    for (const job of jobs) this.startJob(job)
  }

  #verdicts(partition: PartitionState, instance: string): void {
    for (const entity of partition.attached.get(instance)?.keys() ?? [])
      this.#verdict(partition, instance, entity)
  }

  #verdict(partition: PartitionState, instance: string, id: string): void {
    const entity = this.#workload.entity(id, partition)
    this.#workload.add(
      new WorkItem(entity, { kind: 'instance.dead', entity: id, instance }, 'owner'),
    )
  }

  startJob(job: NotedJob): void {
    this.#jobs.set(field(job.entity.id, job.id), job)
    if (this.#running >= parallelJobs) this.#waiting.push(job)
    else this.#run(job)
  }

  #run(job: NotedJob): void {
    this.#running += 1
    const { promise: late, resolve } = Promise.withResolvers<JobResult>()
    const cancel = this.#env.clock.after(jobTimeout, () => resolve({ ok: false, error: 'timeout' }))
    this.#deadlines.add(cancel)
    void Promise.race([this.#result(job.spec), late]).then((result) => {
      cancel()
      this.#deadlines.delete(cancel)
      this.#running -= 1
      this.#answer(job, result)
      const next = this.#waiting.shift()
      if (next) this.#run(next)
    })
  }

  async #result(spec: unknown): Promise<JobResult> {
    try {
      return { ok: true, value: await this.#machine.runJob(spec) }
    } catch (error) {
      return { ok: false, error: error instanceof Error ? error.message : String(error) }
    }
  }

  #answer(job: NotedJob, result: JobResult): void {
    const name = field(job.entity.id, job.id)
    if (this.#stopped || this.#jobs.get(name) !== job) return
    this.#jobs.delete(name)
    const { partition } = job.entity
    if (this.#workload.partitions.get(partition.id) !== partition || partition.draining) return
    const entity = this.#workload.entity(job.entity.id, partition)
    const { id, spec } = job
    this.#workload.add(
      new WorkItem(entity, { kind: 'job', entity: entity.id, id, spec, result }, 'owner'),
    )
    this.#wake()
  }
}

/** Adds to a partition's index of what hangs on which instance. */
export function noteAttached(
  partition: PartitionState,
  instance: string,
  entity: string,
  id: string,
): void {
  let entities = partition.attached.get(instance)
  if (!entities) {
    entities = new Map()
    partition.attached.set(instance, entities)
  }
  const ids = entities.get(entity)
  if (ids) ids.add(id)
  else entities.set(entity, new Set([id]))
}
