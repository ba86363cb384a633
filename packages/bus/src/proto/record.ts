import type { Operation, StepRecord } from '../bus.ts'
import { checkRecord } from '../operations.ts'
import { decodeEntry, encodeEntry, UnreadableFrame } from './codec.ts'
import { decodeQueueEntry, encodeQueueEntry } from './queue-entry.ts'
import { packRaw, type Raw, type RawRead, unpackRaw } from './raw-msgpack.ts'
import { Malformed } from './shape.ts'

/*
 * A record is laid down once and read by three: the script in Redis, the outbox in the store, a router that takes over.
 * Lists are flat where the script hands them to Redis as they are.
 */

const recordVersion = 1
/** In place of a number: `trim` removes the whole queue. */
const everything = -1

/** Bytes of records that were encoded already: a step with rows is needed twice, for the store and for the script. */
const encoded = new WeakMap<StepRecord, Buffer>()

/** Encodes a record for the outbox and the script. @throws {TypeError} for a record that could not be applied whole */
export function encodeRecord(record: StepRecord): Buffer {
  const known = encoded.get(record)
  if (known) return known
  checkRecord(record)
  const { router, step, operations } = record
  const bytes = packRaw([recordVersion, router, step, operations.map(packOperation)])
  encoded.set(record, bytes)
  return bytes
}

/**
 * Reads a record back.
 *
 * All or nothing: a record applied without the part that is unknown here would lose something.
 * @throws {UnreadableFrame} when a part of it is of a release unknown here, or damaged
 */
export function decodeRecord(bytes: Uint8Array): StepRecord {
  try {
    const [version, router, step, operations] = listOf(unpackRaw(bytes))
    if (version !== recordVersion)
      throw new UnreadableFrame('version', `records of version ${version} are unknown`, bytes)
    const record = {
      router: textOf(router),
      step: numberOf(step),
      operations: listOf(operations).map((operation) => unpackOperation(listOf(operation))),
    }
    checkRecord(record)
    encoded.set(record, Buffer.from(bytes))
    return record
  } catch (cause) {
    if (cause instanceof UnreadableFrame) throw cause
    throw new UnreadableFrame('malformed', 'not a record of a step', bytes, { cause })
  }
}

function packOperation(operation: Operation): Raw {
  switch (operation.op) {
    case 'remove':
      return ['remove', operation.stream, operation.positions]
    case 'append':
      return ['append', operation.stream, encodeEntry(operation.frames)]
    case 'hset':
      return ['hset', operation.key, operation.fields.flat()]
    case 'hdel':
      return ['hdel', operation.key, operation.fields]
    case 'unlink':
      return ['unlink', operation.keys]
    case 'zadd':
      return [
        'zadd',
        operation.key,
        operation.members.flatMap(([member, score]) => [score, member]),
      ]
    case 'zrem':
      return ['zrem', operation.key, operation.members]
    case 'enqueue':
      return ['enqueue', operation.queue, operation.entries.map(encodeQueueEntry)]
    case 'trim':
      return ['trim', operation.queue, operation.n ?? everything]
    case 'payload':
      return ['payload', operation.key, operation.bytes, operation.references]
  }
}

type Read = RawRead | undefined
type Unpack = { readonly [N in Operation['op']]: (values: readonly RawRead[]) => Operation }

const unpacks: Unpack = {
  remove: ([stream, positions]) => ({
    op: 'remove',
    stream: textOf(stream),
    positions: textsOf(positions),
  }),
  append: ([stream, entry]) => ({
    op: 'append',
    stream: textOf(stream),
    frames: decodeEntry(bytesOf(entry), (fault) => {
      throw fault
    }),
  }),
  hset: ([key, values]) => ({
    op: 'hset',
    key: textOf(key),
    fields: pairsOf(values).map(([field, value]) => [textOf(field), bytesOf(value)]),
  }),
  hdel: ([key, values]) => ({ op: 'hdel', key: textOf(key), fields: textsOf(values) }),
  unlink: ([keys]) => ({ op: 'unlink', keys: textsOf(keys) }),
  zadd: ([key, values]) => ({
    op: 'zadd',
    key: textOf(key),
    members: pairsOf(values).map(([score, member]) => [textOf(member), numberOf(score)]),
  }),
  zrem: ([key, values]) => ({ op: 'zrem', key: textOf(key), members: textsOf(values) }),
  enqueue: ([queue, entries]) => ({
    op: 'enqueue',
    queue: textOf(queue),
    entries: listOf(entries).map((entry) => decodeQueueEntry(bytesOf(entry))),
  }),
  trim: ([queue, n]) => ({
    op: 'trim',
    queue: textOf(queue),
    n: n === everything ? undefined : numberOf(n),
  }),
  payload: ([key, bytes, references]) => ({
    op: 'payload',
    key: textOf(key),
    bytes: bytesOf(bytes),
    references: numberOf(references),
  }),
}

function unpackOperation([name, ...values]: readonly RawRead[]): Operation {
  const op = textOf(name)
  if (!Object.hasOwn(unpacks, op)) throw new Malformed(`operation ${op} is unknown`)
  return unpacks[op as Operation['op']](values)
}

function bytesOf(value: Read): Buffer {
  if (Buffer.isBuffer(value)) return value
  throw new Malformed('expected bytes')
}

const textOf = (value: Read): string => bytesOf(value).toString()

function numberOf(value: Read): number {
  if (typeof value === 'number') return value
  throw new Malformed('expected a number')
}

function listOf(value: Read): readonly RawRead[] {
  if (typeof value === 'object' && !Buffer.isBuffer(value)) return value
  throw new Malformed('expected a list')
}

const textsOf = (value: Read): string[] => listOf(value).map(textOf)

function pairsOf(value: Read): (readonly [Read, Read])[] {
  const flat = listOf(value)
  if (flat.length % 2 !== 0) throw new Malformed('expected pairs')
  const pairs: (readonly [Read, Read])[] = []
  for (let index = 0; index < flat.length; index += 2) pairs.push([flat[index], flat[index + 1]])
  return pairs
}
