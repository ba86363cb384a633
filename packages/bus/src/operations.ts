import type { Operation, QueueEntry, StepRecord } from './bus.ts'
import { isPosition } from './position.ts'

/** Names of everything a record can ask for; frozen with the first release. */
type Name = Operation['op']
type Check = { readonly [N in Name]: (operation: Extract<Operation, { op: N }>) => boolean }

const isName = (value: unknown): value is string => typeof value === 'string' && value !== ''
const areNames = (values: readonly unknown[]): boolean => values.every(isName)
const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0
const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array

function isQueueEntry({ n, meta, payload }: QueueEntry): boolean {
  if (!isCount(n) || !isBytes(meta)) return false
  return 'ref' in payload ? isName(payload.ref) : isBytes(payload.bytes)
}

const checks: Check = {
  remove: ({ stream, positions }) => isName(stream) && positions.every(isPosition),
  append: ({ stream, frames }) => isName(stream) && frames.length > 0,
  hset: ({ key, fields }) =>
    isName(key) && fields.every(([field, value]) => isName(field) && isBytes(value)),
  hdel: ({ key, fields }) => isName(key) && areNames(fields),
  unlink: ({ keys }) => areNames(keys),
  zadd: ({ key, members }) =>
    isName(key) && members.every(([member, score]) => isName(member) && Number.isFinite(score)),
  zrem: ({ key, members }) => isName(key) && areNames(members),
  enqueue: ({ queue, entries }) => isName(queue) && entries.every(isQueueEntry),
  trim: ({ queue, n }) => isName(queue) && (n === undefined || isCount(n)),
  payload: ({ key, bytes, references }) => isName(key) && isBytes(bytes) && isCount(references),
}

/**
 * Refuses a record that an interpreter could only apply in part.
 *
 * A script that fails midway keeps what it wrote before, so all that can be wrong with a record is found here, before
 * it is sent.
 * @throws {TypeError} naming the operation
 */
export function checkRecord(record: StepRecord): void {
  if (!isName(record.router)) throw new TypeError('a record names no router')
  if (!isCount(record.step) || record.step < 1)
    throw new TypeError(`a step is a whole number from 1, not ${record.step}`)
  for (const [index, operation] of record.operations.entries()) {
    const check = checks[operation.op] as ((operation: Operation) => boolean) | undefined
    if (check === undefined || !check(operation))
      throw new TypeError(
        `operation ${index} (${operation.op}) of step ${record.step} is malformed`,
      )
  }
}
