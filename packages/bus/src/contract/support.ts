import { Stanza } from '@tactus/xml'
import type { Bus, CommitOutcome, Operation, Position, QueueEntry, StreamName } from '../bus.ts'
import type { BusLimits } from '../limits.ts'
import type { Half, InputFrame, OutputFrame, SessionAck } from '../proto/frames.ts'

/** How a case opens another handle. */
export interface ContractOpen {
  readonly limits?: Partial<BusLimits>
  readonly incarnation?: number
  readonly create?: boolean
}

/** A fresh, empty bus of incarnation 1 that several handles share, for one case. */
export interface ContractWorld extends AsyncDisposable {
  /** Opens a handle; the world closes it. */
  open(options?: ContractOpen): Promise<Bus>
  /** Loses the marker, as an emptied Redis does. */
  lose(): Promise<void>
}

/** One promise of the bus, to be tried on every implementation. */
export interface ContractCase {
  readonly title: string
  run(world: ContractWorld): Promise<void>
}

type Frame = InputFrame | OutputFrame

/** The smallest frame, told apart by its number. */
export const ack = (n: number): SessionAck => ({
  kind: 'session.ack',
  entity: 'romeo@montague.example',
  session: 's1',
  epoch: 1,
  n,
})

/** A frame with a stanza of about this many bytes. */
export const half = (id: string, size = 0): Half => ({
  kind: 'half',
  entity: 'juliet@capulet.example',
  stanza: Stanza.parse(
    `<message xmlns='jabber:client' to='juliet@capulet.example'><body>${'o'.repeat(size)}</body></message>`,
  ),
  id,
  at: 1_700_000_000_000,
  durable: true,
  hops: 16,
})

export const bytes = (text: string): Uint8Array => Buffer.from(text)
export const textOf = (value: Uint8Array | undefined): string | undefined =>
  value && Buffer.from(value).toString()

/** Out-number of an acknowledgement, identity of a half. */
export const nameOf = (frame: Frame): number | string => {
  if (frame.kind === 'session.ack') return frame.n
  return frame.kind === 'half' ? frame.id : frame.kind
}

/** What stands in a stream after a position: the names of the frames, entry by entry. */
export async function namesIn(
  bus: Bus,
  stream: StreamName,
  after: Position = '0',
): Promise<(number | string)[][]> {
  const entries = await bus.read(new Map([[stream, after]]), { count: 1_000, wait: 0 })
  return entries.map(({ frames }) => frames.map(nameOf))
}

/** Positions of a stream's entries, first to last. */
export async function positionsIn(bus: Bus, stream: StreamName): Promise<Position[]> {
  const entries = await bus.read(new Map([[stream, '0']]), { count: 1_000, wait: 0 })
  return entries.map(({ position }) => position)
}

/** Commits a step of `router`. */
export const commit = (
  bus: Bus,
  router: string,
  step: number,
  ...operations: Operation[]
): Promise<CommitOutcome> => bus.commit({ router, step, operations })

/** A queue entry that holds its payload itself. */
export const queued = (n: number, payload = `payload ${n}`): QueueEntry => ({
  n,
  meta: bytes(`meta ${n}`),
  payload: { bytes: bytes(payload) },
})

/** A queue entry that refers to a shared payload. */
export const shared = (n: number, ref: string): QueueEntry => ({
  n,
  meta: bytes(`meta ${n}`),
  payload: { ref },
})

/** Queue entries as `number: payload`. */
export async function payloadsIn(
  bus: Bus,
  queue: string,
  from = 0,
  to: number = Number.MAX_SAFE_INTEGER,
): Promise<string[]> {
  const entries = await bus.queue(queue, from, to)
  return entries.map(({ n, payload }) => `${n}: ${'bytes' in payload ? textOf(payload.bytes) : ''}`)
}

/** Fields of one hash as text. */
export async function hashOf(bus: Bus, key: string): Promise<Record<string, string | undefined>> {
  const hash = (await bus.hashes([key])).get(key) ?? new Map<string, Uint8Array>()
  return Object.fromEntries([...hash].map(([field, value]) => [field, textOf(value)]))
}
