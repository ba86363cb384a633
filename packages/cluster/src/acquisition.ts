import { type Bus, decodeRecord, type Operation } from '@tactus/bus'
import type { Clock } from '@tactus/env'
import type { OwnershipStore } from '@tactus/storage'
import { unpack } from 'msgpackr'
import { durableInputs, type RecordedInput } from './durable-inputs.ts'
import { splitField } from './keys.ts'
import { allReplayed, metaOperation } from './meta.ts'
import { noteAttached } from './owner-inputs.ts'
import type { Router } from './router.ts'
import { incarnationOf } from './router-id.ts'
import { PartitionState, unitName, WorkItem } from './state.ts'
import { type Unit, unitsOf } from './workload.ts'

/** Deaths over one input before it is run alone, and before it is put aside (design §3.10). */
const carefulAfter = 2
const deadLetterAfter = 3

type Fields = ReadonlyMap<string, Uint8Array>
const none: Fields = new Map()

interface FoundJob {
  readonly entity: string
  readonly id: string
  readonly spec: unknown
}

/** An input from the outbox. */
interface Replay {
  readonly partition: PartitionState
  readonly unit: Unit
  readonly at: number
  /** Its place there. */
  readonly place: string
}

type Placed = RecordedInput & { readonly place: string }

/** What acquiring needs. */
export interface AcquisitionPorts {
  readonly router: Router
  readonly bus: Bus
  readonly clock: Clock
  readonly ownership: OwnershipStore
}

/**
 * The last stage of a takeover or hand-over (design §3.2): only now streams and live state are read.
 *
 * `unclean` partitions are those whose owner died: what it may have died over is noted before anything runs.
 */
export async function acquire(
  ports: AcquisitionPorts,
  ids: readonly number[],
  unclean: ReadonlySet<number>,
): Promise<void> {
  const { router, bus } = ports
  const fresh = ids.map((id) => new PartitionState(id, ports.clock.monotonic()))
  router.expect(fresh)
  const keys = fresh.flatMap((p) => [
    ...[p.partialKey, p.jobsKey, p.attachedKey, p.metaKey],
    p.replayedKey,
  ])
  const hashes = await bus.hashes(keys)
  const held = [...router.workload.partitions.values()]
  const streams = [...held, ...fresh].map(({ stream }) => stream)
  const extents = await bus.extent(streams)
  const jobs = new Map(fresh.map((partition) => [partition, readIndexes(partition, hashes)]))
  const notes: Operation[] = []
  for (const partition of fresh.filter(({ id }) => unclean.has(id))) {
    const meta = hashes.get(partition.metaKey) ?? none
    notes.push(...(await countDeaths(bus, partition, meta, extents.get(partition.stream)?.last)))
  }
  const kept = await replays(
    ports,
    fresh.filter(({ replayed }) => !replayed),
    notes,
  )
  if (notes.length > 0) await router.note(notes)
  if (!router.alive) return
  for (const partition of [...held, ...fresh]) {
    const extent = extents.get(partition.stream)
    if (extent?.first !== undefined) partition.raiseBarrier(extent.last)
  }
  router.hold(fresh)
  // Entities are made only now: had the acquisition failed midway, they would belong to nothing.
  for (const { partition, unit, place: replay } of kept)
    router.workload.add(
      new WorkItem(router.workload.entity(unit.entity, partition), unit.input, 'replay', {
        replay,
      }),
    )
  for (const [partition, found] of jobs)
    router.owner.takeUp(
      partition,
      found.map((job) => ({ ...job, entity: router.workload.entity(job.entity, partition) })),
    )
  router.wake()
}

function readIndexes(partition: PartitionState, hashes: ReadonlyMap<string, Fields>): FoundJob[] {
  for (const [position, bits] of hashes.get(partition.partialKey) ?? none) {
    partition.partial.set(position, bits)
    partition.noted.add(position)
  }
  for (const name of (hashes.get(partition.attachedKey) ?? none).keys()) {
    const [instance, rest] = splitField(name)
    const [entity, id] = splitField(rest)
    noteAttached(partition, instance, entity, id)
  }
  for (const place of (hashes.get(partition.replayedKey) ?? none).keys()) partition.rerun.add(place)
  partition.replayed = (hashes.get(partition.metaKey) ?? none).has('replayed')
  return Array.from(hashes.get(partition.jobsKey) ?? none, ([name, spec]) => {
    const [entity, id] = splitField(name)
    return { entity, id, spec: unpack(spec) }
  })
}

/** Counts a death over the input at the head of the stream; from the second on the partition is run carefully. */
async function countDeaths(
  bus: Bus,
  partition: PartitionState,
  meta: Fields,
  tail = '0',
): Promise<Operation[]> {
  const [entry] = await bus.read(new Map([[partition.stream, '0']]), { count: 1, wait: 0 })
  if (!entry) return []
  const bits = partition.partial.get(entry.position)
  let unit = 0
  while (((bits?.[unit >> 3] ?? 0) & (1 << (unit & 7))) !== 0) unit += 1
  const head = unitName(entry.position, unit)
  const text = (name: string): string => Buffer.from(meta.get(name) ?? []).toString()
  const tried = text('trying') === head
  const known = text('head') === head ? Number(text('deaths')) : 0
  const before = tried ? Math.max(known, carefulAfter - 1) : known
  const deaths = before + 1
  if (deaths >= carefulAfter) {
    const deadLetter = deaths >= deadLetterAfter && tried ? head : undefined
    partition.careful = { tail, trying: undefined, noted: 0, deadLetter }
  }
  return [
    metaOperation(partition, 'head', head),
    metaOperation(partition, 'deaths', String(deaths)),
  ]
}

/** After a loss of the bus, durable frames that the outbox still holds run before anything else (design §3.6). */
async function replays(
  { bus, ownership, router }: AcquisitionPorts,
  partitions: readonly PartitionState[],
  notes: Operation[],
): Promise<Replay[]> {
  const found: Replay[] = []
  if (partitions.length === 0) return found
  const wanted = new Map(partitions.map((partition) => [partition.id, partition]))
  const { count } = router.workload
  const routers = await ownership.routers()
  for (const { id } of routers.filter((each) => incarnationOf(each.id) < bus.incarnation)) {
    const inputs: Placed[] = []
    for (const { step, record } of await ownership.records(id))
      for (const input of durableInputs(decodeRecord(record), count))
        inputs.push({ ...input, place: `${id}:${step}:${input.index}` })
    found.push(...replaysIn(inputs, wanted))
  }
  // Each router's own order stands in its records; between two owners of one sender only time tells.
  found.sort((a, b) => a.at - b.at)
  for (const { partition } of found) partition.replays += 1
  for (const partition of partitions)
    if (partition.replays === 0) notes.push(...allReplayed(partition))
  return found
}

/** One router's inputs for the wanted partitions; times never go back, so that sorting keeps their order. */
function replaysIn(
  inputs: readonly Placed[],
  wanted: ReadonlyMap<number, PartitionState>,
): Replay[] {
  let latest = 0
  return inputs.flatMap(({ partition: number, place, input, at = 0 }) => {
    latest = Math.max(latest, at)
    const partition = wanted.get(number)
    if (!partition) return []
    // An owner that died over them may have done some, whose recipients have them: once in a session is enough.
    return unitsOf(input)
      .map((unit, index) => ({ partition, unit, at: latest, place: `${place}:${index}` }))
      .filter((replay) => !partition.rerun.has(replay.place))
  })
}
