import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeRecord,
  encodeRecord,
  type Operation,
  type StepRecord,
  UnreadableFrame,
} from '@tactus/bus'
import { packRaw } from '../src/proto/raw-msgpack.ts'
import { allExamples, comparable } from './examples.ts'

const bytes = (text: string): Buffer => Buffer.from(text)

/** Every operation, in all its forms. */
const operations: readonly Operation[] = [
  { op: 'remove', stream: 'p:1', positions: ['1795000000000-0', '1795000000000-12', '7'] },
  { op: 'append', stream: 'd:cm1', frames: allExamples },
  {
    op: 'hset',
    key: 'romeo@montague.example',
    fields: [
      ['a', Buffer.from([0, 255, 128])],
      ['Балкон', bytes('')],
    ],
  },
  { op: 'hdel', key: 'h', fields: ['a', 'b'] },
  { op: 'unlink', keys: ['h', 'z'] },
  {
    op: 'zadd',
    key: 't:1',
    members: [
      ['m', 1_795_000_000_123.25],
      ['low', -3],
      ['zero', 0],
    ],
  },
  { op: 'zrem', key: 't:1', members: ['m'] },
  {
    op: 'enqueue',
    queue: 's1',
    entries: [
      { n: 1, meta: bytes('meta'), payload: { bytes: Buffer.alloc(70_000, 'x') } },
      { n: 5_000_000_000, meta: bytes(''), payload: { ref: 'm:Ж' } },
    ],
  },
  { op: 'trim', queue: 's1', n: 4_000_000_000 },
  { op: 'trim', queue: 's2', n: undefined },
  { op: 'payload', key: 'm1', bytes: Buffer.alloc(300, 1), references: 1_000 },
]
const record: StepRecord = { router: 'r-Вена', step: 3_000_000_000, operations }

const comparableRecord = ({ router, step, operations: list }: StepRecord): unknown => ({
  router,
  step,
  operations: list.map((operation) =>
    operation.op === 'append'
      ? { ...operation, frames: operation.frames.map(comparable) }
      : operation,
  ),
})

test('§3.3: a record is read from the outbox as it was written', () => {
  const read = decodeRecord(new Uint8Array(encodeRecord(record)))
  assert.deepEqual(comparableRecord(read), comparableRecord(record))
})

test('§3.3: a record keeps its bytes from the outbox to the script', () => {
  const stored = Buffer.from(encodeRecord(record))
  assert.deepEqual(encodeRecord(decodeRecord(stored)), stored)
  assert.deepEqual(encodeRecord({ ...record }), stored)
})

test('§3.3: a record that could not be applied whole is not encoded', () => {
  const broken = { op: 'hset', key: '', fields: [] } as const
  assert.throws(() => encodeRecord({ ...record, operations: [broken] }), TypeError)
})

test('D4: a record with a part that is unknown here is refused whole', () => {
  const refused = (raw: Parameters<typeof packRaw>[0], reason: string): void =>
    assert.throws(
      () => decodeRecord(packRaw(raw)),
      (error) => error instanceof UnreadableFrame && error.reason === reason,
    )
  refused([2, 'r1', 1, []], 'version')
  refused([1, 'r1', 1, [['teleport', 'x']]], 'malformed')
  refused([1, 'r1', 1, [['__proto__', 'x']]], 'malformed')
  refused([1, 'r1', 1, [['append', 'p:1', Buffer.from([9])]]], 'version')
  refused([1, 'r1', 0, []], 'malformed')
  refused([1, 'r1', 1, [['hset', 'k', ['odd']]]], 'malformed')
  refused([1, 'r1', 1, [['trim', 'q', -2]]], 'malformed')
  refused([1, 'r1', 1, [['enqueue', 'q', [Buffer.alloc(13)]]]], 'malformed')
  refused('r1', 'malformed')
})

test('§5: a record that is cut off or damaged is refused, and costs no more than its bytes', () => {
  const whole = encodeRecord(record)
  for (let end = 0; end < whole.length; end += 97)
    assert.throws(() => decodeRecord(whole.subarray(0, end)), UnreadableFrame)
  assert.throws(() => decodeRecord(Buffer.concat([whole, Buffer.of(0)])), UnreadableFrame)
  // A list that claims four thousand million members.
  assert.throws(() => decodeRecord(Buffer.from([0xdd, 255, 255, 255, 255])), UnreadableFrame)
  assert.throws(() => decodeRecord(Buffer.alloc(100_000, 0x91)), UnreadableFrame)
})
