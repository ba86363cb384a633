import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { closeFrame, FrameError, FrameReader, textFrame } from '../src/websocket-frames.ts'

interface Shape {
  readonly fin?: boolean
  readonly reserved?: number
  readonly mask?: boolean
  /** What the header claims instead of the payload's length. */
  readonly announced?: bigint
}

/** A frame as clients send them. */
function frame(opcode: number, payload: string | Uint8Array = '', shape: Shape = {}): Buffer {
  const { fin = true, reserved = 0, mask = true, announced } = shape
  const bytes = Buffer.from(payload as string)
  const key = Buffer.from([1, 2, 3, 254])
  const length = announced ?? BigInt(bytes.length)
  const extended = Buffer.alloc(length > 65_535n ? 8 : length > 125n ? 2 : 0)
  if (extended.length === 8) extended.writeBigUInt64BE(length)
  else if (extended.length === 2) extended.writeUInt16BE(Number(length))
  const short = extended.length === 8 ? 127 : extended.length === 2 ? 126 : Number(length)
  const head = [(fin ? 0x80 : 0) | reserved | opcode, (mask ? 0x80 : 0) | short]
  const masked = bytes.map((byte, at) => byte ^ (key[at & 3] as number))
  return Buffer.concat([Buffer.from(head), extended, mask ? key : Buffer.alloc(0), masked])
}

/** Everything that comes of the chunks, as `kind:payload`. */
function read(chunks: readonly Uint8Array[], limit = 1_000_000): string[] {
  const reader = new FrameReader(limit)
  const found: string[] = []
  for (const chunk of chunks) {
    // The reader may write to what it gets.
    reader.feed(Buffer.from(chunk))
    for (let got = reader.next(); got; got = reader.next())
      found.push(`${got.kind}:${got.payload.toString()}`)
  }
  return found
}

const sent = Buffer.concat([
  frame(1, '<a/>'),
  frame(1, '<b', { fin: false }),
  frame(9, 'still there?'),
  frame(0, '', { fin: false }),
  frame(0, '/>'),
  frame(10),
  frame(1, `<c>${'x'.repeat(70_000)}</c>`),
  frame(1, `<d>${'y'.repeat(300)}</d>`),
  frame(8, Buffer.from([0x03, 0xe8])),
])
const meant = [
  'message:<a/>',
  'ping:still there?',
  'message:<b/>',
  'pong:',
  `message:<c>${'x'.repeat(70_000)}</c>`,
  `message:<d>${'y'.repeat(300)}</d>`,
  'close:\u0003\ufffd',
]

test('RFC 6455 §5.4: messages are the same however they are cut into frames and chunks', () => {
  assert.deepEqual(read([sent]), meant)
  assert.deepEqual(read(Array.from(sent, (_, at) => sent.subarray(at, at + 1))), meant)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: sent.length }), { maxLength: 20 }), (cuts) => {
      const at = [0, ...cuts.toSorted((one, other) => one - other), sent.length]
      assert.deepEqual(read(at.slice(1).map((end, index) => sent.subarray(at[index], end))), meant)
    }),
    { numRuns: 50 },
  )
})

const violations: readonly [title: string, bytes: Buffer, code: number][] = [
  ['§5.1: a client that does not mask', frame(1, '<a/>', { mask: false }), 1_002],
  ['§5.2: a reserved bit, as of compression', frame(1, '<a/>', { reserved: 0x40 }), 1_002],
  ['§5.2: an unknown opcode', frame(3, '<a/>'), 1_002],
  ['§5.2: an unknown control opcode', frame(11, ''), 1_002],
  ['§5.4: a continuation of nothing', frame(0, '<a/>'), 1_002],
  [
    '§5.4: a message within another',
    Buffer.concat([frame(1, '<a', { fin: false }), frame(1, '<b/>')]),
    1_002,
  ],
  ['§5.5: a control frame in parts', frame(9, '', { fin: false }), 1_002],
  ['§5.5: a control frame of 126 bytes', frame(9, 'x'.repeat(126)), 1_002],
  ['§5.5.1: half a closing code', frame(8, 'x'), 1_002],
  ['RFC 7395 §3.2: a binary message', frame(2, '<a/>'), 1_003],
  ['V14: a frame over the limit, announced', frame(1, '', { announced: 101n }), 1_009],
  ['V14: a frame of 2 GiB, announced', frame(1, '', { announced: 2n ** 31n }), 1_009],
  ['V14: a frame of 2^63 bytes, announced', frame(1, '', { announced: 2n ** 63n }), 1_009],
  [
    'V14: frames over the limit together',
    Buffer.concat([frame(1, 'x'.repeat(60), { fin: false }), frame(0, 'x'.repeat(60))]),
    1_009,
  ],
  [
    'V14: fragments without end, all of them empty',
    Buffer.concat([
      frame(1, '', { fin: false }),
      ...Array.from({ length: 1_000 }, () => frame(0, '', { fin: false })),
    ]),
    1_009,
  ],
]

for (const [title, bytes, code] of violations) {
  test(`${title} ends the connection with ${code}`, () => {
    assert.throws(
      () => read([bytes], 100),
      (error) => error instanceof FrameError && error.code === code,
    )
  })
}

test('RFC 6455 §5.1: what we send is not masked, whole, and as short as can be', () => {
  const head = (length: number): number[] => [...textFrame(Buffer.alloc(length)).subarray(0, 10)]
  assert.deepEqual(head(125).slice(0, 2), [0x81, 125])
  assert.deepEqual(head(126).slice(0, 4), [0x81, 126, 0, 126])
  assert.deepEqual(head(65_536), [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0])
  assert.deepEqual([...closeFrame(1_000)], [0x88, 2, 0x03, 0xe8])
})
