import type {
  BusRecord,
  CommitOutcome,
  Entry,
  Operation,
  Position,
  QueueEntry,
  StepRecord,
  StreamName,
} from '../bus.ts'
import { MemoryStream } from './memory-stream.ts'
import { SortedSet } from './sorted-set.ts'

interface Payload {
  readonly bytes: Uint8Array
  references: number
}

/** Told of every stream that got an entry, so that readers wake. */
export type Appended = (stream: StreamName) => void

/** Everything that one incarnation holds: what Redis' keys hold under its prefix. */
export class MemoryState {
  readonly streams: Map<StreamName, MemoryStream> = new Map<StreamName, MemoryStream>()
  readonly hashes: Map<string, Map<string, Uint8Array>> = new Map<string, Map<string, Uint8Array>>()
  readonly sortedSets: Map<string, SortedSet> = new Map<string, SortedSet>()
  readonly queues: Map<string, QueueEntry[]> = new Map<string, QueueEntry[]>()
  /** Who holds a name that one instance holds at a time. */
  readonly claims: Map<string, string> = new Map<string, string>()
  readonly #records = new Map<string, BusRecord & { readonly until: number }>()
  readonly #payloads = new Map<string, Payload>()
  readonly #steps = new Map<string, number>()
  readonly #fenced = new Set<string>()
  readonly #appended: Appended
  /** Bytes of all published entries that are still there. */
  bytes = 0

  constructor(appended: Appended) {
    this.#appended = appended
  }

  append(stream: StreamName, frames: Entry['frames'], bytes: number): Position {
    let target = this.streams.get(stream)
    if (!target) {
      target = new MemoryStream(stream)
      this.streams.set(stream, target)
    }
    this.bytes += bytes
    const position = target.append(frames, bytes)
    this.#appended(stream)
    return position
  }

  step(router: string): number {
    return this.#steps.get(router) ?? 0
  }

  claim(name: string, believed: string | undefined, next: string | undefined): string | undefined {
    if (this.claims.get(name) !== believed) return this.claims.get(name)
    if (next === undefined) this.claims.delete(name)
    else this.claims.set(name, next)
    return next
  }

  record(name: string, now: number): BusRecord | undefined {
    const record = this.#records.get(name)
    if (!record || record.until > now) return record
    this.#records.delete(name)
    return undefined
  }

  replace(
    name: string,
    version: number,
    { value, now, ttl }: { readonly value: Uint8Array | undefined; now: number; ttl: number },
  ): boolean {
    const held = this.record(name, now)
    if (held?.version === version + 1 && value && Buffer.compare(held.value, value) === 0)
      return true
    if ((held?.version ?? 0) !== version) return held === undefined && value === undefined
    if (value === undefined) this.#records.delete(name)
    else this.#records.set(name, { version: version + 1, value, until: now + ttl })
    return true
  }

  /** The script of design §3.3 (b); `record` has been checked. */
  commit({ router, step, operations }: StepRecord): CommitOutcome {
    if (this.#fenced.has(router)) return { outcome: 'fenced' }
    const applied = this.step(router)
    if (applied === step) return { outcome: 'done', positions: [] }
    if (applied !== step - 1) return { outcome: 'gap' }
    return { outcome: 'applied', positions: this.#apply(router, step, operations) }
  }

  /** Stage 2 of a takeover (design §3.2); false when steps before `record` are missing. */
  fence(router: string, record: StepRecord | undefined): boolean {
    const applied = this.step(router)
    if (record && record.step > applied + 1) return false
    this.#fenced.add(router)
    if (record && record.step === applied + 1) this.#apply(router, record.step, record.operations)
    return true
  }

  /** Queue entries with numbers in (from, to], payloads filled in. */
  queue(name: string, from: number, to: number): QueueEntry[] {
    const entries: QueueEntry[] = []
    for (const entry of this.queues.get(name) ?? []) {
      if (entry.n <= from || entry.n > to) continue
      if ('bytes' in entry.payload) entries.push(entry)
      else {
        const payload = this.#payloads.get(entry.payload.ref)
        if (!payload) throw new Error(`queue ${name}: the payload of entry ${entry.n} is gone`)
        entries.push({ n: entry.n, meta: entry.meta, payload: { bytes: payload.bytes } })
      }
    }
    return entries
  }

  #apply(router: string, step: number, operations: readonly Operation[]): Position[] {
    const positions: Position[] = []
    for (const operation of operations) {
      const position = this.#run(operation)
      if (position !== undefined) positions.push(position)
    }
    this.#steps.set(router, step)
    return positions
  }

  #run(operation: Operation): Position | undefined {
    switch (operation.op) {
      case 'append':
        return this.append(operation.stream, operation.frames, 0)
      case 'remove':
        this.#remove(operation.stream, operation.positions)
        break
      case 'hset':
      case 'hdel':
        this.#changeHash(operation)
        break
      case 'zadd':
      case 'zrem':
        this.#changeSortedSet(operation)
        break
      case 'unlink':
        for (const key of operation.keys) this.#unlink(key)
        break
      case 'enqueue':
        this.#enqueue(operation.queue, operation.entries)
        break
      case 'trim':
        this.#trim(operation.queue, operation.n ?? Number.POSITIVE_INFINITY)
        break
      case 'payload':
        this.#payloads.set(operation.key, {
          bytes: operation.bytes,
          references: operation.references,
        })
        break
    }
    return undefined
  }

  #remove(name: StreamName, positions: readonly Position[]): void {
    const stream = this.streams.get(name)
    if (!stream) return
    for (const position of positions) this.bytes -= stream.remove(position)
  }

  #changeHash(operation: Extract<Operation, { op: 'hset' | 'hdel' }>): void {
    let hash = this.hashes.get(operation.key)
    if (operation.op === 'hdel') {
      for (const field of operation.fields) hash?.delete(field)
      if (hash?.size === 0) this.hashes.delete(operation.key)
      return
    }
    if (!hash) {
      hash = new Map()
      this.hashes.set(operation.key, hash)
    }
    for (const [field, value] of operation.fields) hash.set(field, value)
  }

  #changeSortedSet(operation: Extract<Operation, { op: 'zadd' | 'zrem' }>): void {
    let set = this.sortedSets.get(operation.key)
    if (operation.op === 'zrem') {
      for (const member of operation.members) set?.remove(member)
      if (set?.size === 0) this.sortedSets.delete(operation.key)
      return
    }
    if (!set) {
      set = new SortedSet()
      this.sortedSets.set(operation.key, set)
    }
    for (const [member, score] of operation.members) set.add(member, score)
  }

  #unlink(key: string): void {
    this.hashes.delete(key)
    this.sortedSets.delete(key)
    this.#payloads.delete(key)
  }

  #enqueue(name: string, entries: readonly QueueEntry[]): void {
    const queue = this.queues.get(name)
    if (queue) queue.push(...entries)
    else if (entries.length > 0) this.queues.set(name, [...entries])
  }

  #trim(name: string, n: number): void {
    const queue = this.queues.get(name)
    if (!queue) return
    let end = 0
    while (end < queue.length && (queue[end]?.n ?? 0) <= n) {
      const payload = queue[end]?.payload
      if (payload && 'ref' in payload) this.#release(payload.ref)
      end += 1
    }
    if (end === queue.length) this.queues.delete(name)
    else queue.splice(0, end)
  }

  #release(ref: string): void {
    const payload = this.#payloads.get(ref)
    if (!payload) return
    payload.references -= 1
    if (payload.references <= 0) this.#payloads.delete(ref)
  }
}
