import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { decodeEntry, encodeEntry, packPlain, type UnreadableFrame } from '@tactus/bus'
import { allExamples, comparable, examples } from './examples.ts'

/** Decodes and collects what could not be read. */
function decode(bytes: Uint8Array): { frames: unknown[]; faults: UnreadableFrame[] } {
  const faults: UnreadableFrame[] = []
  const frames = decodeEntry(bytes, (fault) => faults.push(fault)).map(comparable)
  return { frames, faults }
}

const entryOf = (...frames: unknown[]): Buffer =>
  Buffer.concat([Buffer.of(1), ...frames.map(packPlain)])

for (const [kind, frames] of Object.entries(examples))
  test(`§5: a frame of kind ${kind} is read as it was written`, () => {
    assert.deepEqual(decode(encodeEntry(frames)), { frames: frames.map(comparable), faults: [] })
  })

test('§5: an entry holds many frames, in order', () => {
  const many = [...allExamples, ...allExamples].reverse()
  assert.deepEqual(decode(encodeEntry(many)).frames, many.map(comparable))
})

test('§6: the bytes of a stanza are untouched', () => {
  const [frame] = examples['session.stanza']
  assert(encodeEntry(frame ? [frame] : []).includes(Buffer.from(frame?.stanza.bytes ?? [])))
})

test('§5: an unknown kind is a fault of its own, the frames around it are read', () => {
  const [ack] = examples['session.ack']
  const bytes = Buffer.concat([
    encodeEntry(ack ? [ack] : []),
    packPlain(['session.teleport', ['x']]),
    encodeEntry(ack ? [ack] : []).subarray(1),
  ])
  const { frames, faults } = decode(bytes)
  assert.deepEqual(frames, [ack, ack])
  assert.deepEqual(
    faults.map(({ reason }) => reason),
    ['kind'],
  )
  assert.deepEqual(Buffer.from(faults[0]?.bytes ?? []), packPlain(['session.teleport', ['x']]))
})

test('§5: names that every object has are no kinds', () => {
  for (const kind of ['__proto__', 'constructor', 'toString'])
    assert.equal(decode(entryOf([kind, []])).faults[0]?.reason, 'kind')
})

test('§5: an entry of another version is not guessed at', () => {
  const bytes = encodeEntry(examples['session.ack'])
  bytes[0] = 2
  const { frames, faults } = decode(bytes)
  assert.deepEqual([frames, faults[0]?.reason, faults[0]?.bytes], [[], 'version', bytes])
})

test('§5: what does not fit its schema is a fault, never a frame', () => {
  const ack: unknown[] = ['romeo@montague.example', 's1', 1, 5]
  const half: unknown[] = ['a@b', Buffer.from('<message xmlns="jabber:client"/>'), 'i', 0, true, 16]
  const cases: Record<string, unknown> = {
    'no list': 'session.ack',
    'no fields': ['session.ack'],
    'fields that are no list': ['session.ack', { entity: 'x' }],
    'a field too few': ['session.ack', ack.slice(1)],
    'a field too many': ['session.ack', [...ack, 1]],
    'text for a number': ['session.ack', ack.with(3, '5')],
    'a negative number': ['session.ack', ack.with(3, -1)],
    'a fraction': ['session.ack', ack.with(3, 1.5)],
    'more than a number can hold': ['session.ack', ack.with(3, 2 ** 60)],
    'nil for text': ['session.ack', ack.with(0, null)],
    'no boolean': ['half', half.with(4, 1)],
    'a stanza that is text': ['half', half.with(1, '<message xmlns="jabber:client"/>')],
    'a stanza that is not well-formed': ['half', half.with(1, Buffer.from('<message>'))],
    'two stanzas in one': ['half', half.with(1, Buffer.from('<a xmlns="x"/><b xmlns="x"/>'))],
    'a word that is none': ['session.close', ['a', 's', 1, 1, 'lost']],
    'a tuple too short': ['committed', [[['s1', 1]]]],
    'info with a number': ['session.resume', ['a', 's', 't', 'c', 1, { a: 1 }]],
    'a union without its tag': ['command.reply', ['c1', { ok: true }]],
    'a union with the other half': ['command.reply', ['c1', [false, ['out']]]],
  }
  for (const [what, frame] of Object.entries(cases)) {
    const { frames, faults } = decode(entryOf(frame))
    assert.deepEqual([frames, faults[0]?.reason], [[], 'malformed'], what)
  }
})

test('§5: plain data is data: no dates, no sets, no patterns, no bottomless nesting', () => {
  let deep: unknown = 1
  for (let level = 0; level < 100; level += 1) deep = [deep]
  for (const input of [new Date(0), deep]) {
    const { frames, faults } = decode(entryOf(['command', ['a', 'b', 'c', input, 'd']]))
    assert.deepEqual([frames, faults.length], [[], 1])
  }
})

test('§5: an entry that is cut off anywhere is a fault, and throws nothing', () => {
  const whole = encodeEntry(allExamples)
  for (let end = 0; end < whole.length; end += 1) {
    const { frames, faults } = decode(whole.subarray(0, end))
    assert(frames.length < allExamples.length)
    assert(faults.length > 0 || frames.length > 0, `cut at ${end}`)
  }
})

test('§5: noise throws nothing', () => {
  for (let round = 0; round < 2_000; round += 1) {
    const bytes = randomBytes(1 + (round % 64))
    bytes[0] = 1
    decode(bytes)
  }
  const whole = encodeEntry(allExamples)
  for (let round = 0; round < 2_000; round += 1) {
    const bytes = Buffer.from(whole)
    bytes[1 + (round % (whole.length - 1))] = round % 256
    decode(bytes)
  }
})
