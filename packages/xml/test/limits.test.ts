import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  clientLimits,
  preAuthLimits,
  type ReaderLimits,
  StreamReader,
  serverLimits,
} from '../src/index.ts'
import { header } from './corpus.ts'

const violation = { name: 'XmlError', condition: 'policy-violation' }

function read(limits: ReaderLimits, text: string): number {
  const reader = new StreamReader({ limits })
  return reader.push(Buffer.from(header + text)).length - 1
}

const nested = (depth: number): string => '<a>'.repeat(depth) + '</a>'.repeat(depth)
const attributes = (count: number): string =>
  `<a ${Array.from({ length: count }, (_, index) => `a${index}=''`).join(' ')}/>`
const prefixes = (count: number): string =>
  `<a ${Array.from({ length: count }, (_, index) => `xmlns:a${index}='u'`).join(' ')}/>`
const elements = (count: number): string => `<a>${'<b/>'.repeat(count - 1)}</a>`
const sized = (bytes: number): string => `<a>${'x'.repeat(bytes - 7)}</a>`

/** A limit, a stanza of just that, and one of one more. */
const limits: readonly [string, ReaderLimits, (amount: number) => string, number][] = [
  ['V08 depth', clientLimits, nested, 64],
  ['V09 elements of a client', clientLimits, elements, 2_000],
  ['V09 elements of a server', serverLimits, elements, 10_000],
  ['V12 elements before authentication', preAuthLimits, elements, 64],
  ['V12 bytes before authentication', preAuthLimits, sized, 16_384],
  ['V09 bytes of a client', clientLimits, sized, 262_144],
  ['V09 bytes of a server', serverLimits, sized, 524_288],
  ['V09 attributes', clientLimits, attributes, 64],
  ['V09 prefixes', clientLimits, prefixes, 31],
  ['V09 bytes of a name', clientLimits, (bytes) => `<${'a'.repeat(bytes)}/>`, 256],
  ['V09 bytes of an attribute name', clientLimits, (bytes) => `<a ${'a'.repeat(bytes)}=''/>`, 256],
  ['V09 bytes of a value', clientLimits, (bytes) => `<a b='${'x'.repeat(bytes)}'/>`, 16_384],
]

for (const [name, limit, build, amount] of limits) {
  test(`${name}: ${amount} are allowed, one more is not`, () => {
    assert.equal(read(limit, build(amount)), 1)
    assert.throws(() => read(limit, build(amount + 1)), violation)
  })
}

test('V09: a stanza may not grow over the limit by being rewritten', () => {
  const quotes = (count: number): string => `<a>${'"'.repeat(count)}></a>`
  assert.equal(read(clientLimits, quotes(40_000)), 1)
  assert.throws(() => read(clientLimits, quotes(45_000)), violation)
  assert.throws(() => read(clientLimits, `<a b='${'>'.repeat(5_000)}'/>`), violation)
})

test('V09: an entity name is no way around the limit on names', () => {
  assert.throws(() => read(clientLimits, `<a>&${'x'.repeat(300)}`), violation)
  assert.throws(() => read(clientLimits, `<a>&#${'0'.repeat(300)}`), violation)
})

test('V12: an endless header, element or flood of white space ends before authentication', () => {
  const reader = (): StreamReader => new StreamReader({ limits: preAuthLimits })
  const endless = (start: string, more: string): void => {
    const stream = reader()
    stream.push(Buffer.from(start))
    for (let sent = 0; sent < 70_000; sent += more.length) {
      stream.push(Buffer.from(more))
      assert(stream.buffered <= preAuthLimits.bytes)
    }
  }
  const kilobyte = 'x'.repeat(1_024)
  assert.throws(() => endless("<stream:stream a='", kilobyte), violation)
  assert.throws(() => endless(`${header}<auth>`, kilobyte), violation)
  assert.throws(() => endless(header, ' '.repeat(1_024)), violation)
  assert.throws(() => endless(header, '<a/>'.repeat(256)), violation)
})

test('RFC 6120 §4.6.1: white space between stanzas costs nothing, however much', () => {
  const stream = new StreamReader({ limits: clientLimits })
  stream.push(Buffer.from(header))
  const flood = Buffer.from(' \n'.repeat(50_000))
  for (let round = 0; round < 20; round++) {
    assert.deepEqual(stream.push(flood), [])
    assert.equal(stream.buffered, 0)
  }
})

test('V09: the memory kept is no more than the limit and a chunk', () => {
  const stream = new StreamReader({ limits: clientLimits })
  stream.push(Buffer.from(header))
  const chunk = Buffer.from('x'.repeat(6_000))
  const allocated = countAllocations(() => {
    stream.push(Buffer.from('<a>'))
    for (let sent = 0; sent < clientLimits.bytes - 12_000; sent += chunk.length) stream.push(chunk)
  })
  assert(allocated.largest <= clientLimits.bytes + chunk.length, String(allocated.largest))
})

/** Buffers that the reader makes for unfinished items. */
function countAllocations(work: () => void): { largest: number; total: number } {
  const original = Buffer.allocUnsafeSlow
  const sizes: number[] = []
  Buffer.allocUnsafeSlow = (size) => {
    sizes.push(size)
    return original(size)
  }
  try {
    work()
  } finally {
    Buffer.allocUnsafeSlow = original
  }
  return { largest: Math.max(...sizes), total: sizes.reduce((sum, size) => sum + size, 0) }
}

test('V09: the trees and spans of 256 KiB are less than eight times as large', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const text = `<a>${'<b/>'.repeat(1_999)}</a>`
  const rounds = 32
  collect()
  const before = process.memoryUsage().heapUsed
  const kept: unknown[] = []
  for (let round = 0; round < rounds; round++) {
    const stream = new StreamReader({ limits: clientLimits })
    const events = stream.push(Buffer.from(header + text))
    for (const event of events) if (event.kind === 'stanza') kept.push(event.stanza.element)
    kept.push(events)
  }
  collect()
  const each = (process.memoryUsage().heapUsed - before) / rounds
  assert(each < 8 * clientLimits.bytes, `${each} bytes`)
  assert.equal(kept.length, rounds * 2)
})

/** V10: one long thing of about `size` bytes, of each kind that scanners were quadratic in. */
const shapes: Readonly<Record<string, (size: number) => string>> = {
  text: (size) => `<a>${'x'.repeat(size)}</a>`,
  'non-ASCII text': (size) => `<a>${'愛'.repeat(size / 3)}</a>`,
  brackets: (size) => `<a>${']'.repeat(size)}</a>`,
  references: (size) => `<a>${'&amp;'.repeat(size / 5)}</a>`,
  CDATA: (size) => `<a><![CDATA[${']'.repeat(size)}]]></a>`,
  'one attribute': (size) => `<a b='${'x'.repeat(size)}'/>`,
  attributes: (size) => attributes(size / 10),
  children: (size) => elements(size / 4),
  depth: (size) => nested(size / 7),
  'one name': (size) => `<${'a'.repeat(size)}/>`,
}

const boundless: ReaderLimits = {
  bytes: 1e7,
  depth: 1e6,
  elements: 1e6,
  attributes: 1e6,
  namespaces: 1e6,
  nameBytes: 1e6,
  attributeBytes: 1e6,
}

/** Bytes copied while a stanza comes in chunks of `size`. */
function copied(text: string, size: number): number {
  const stream = new StreamReader({ limits: boundless })
  stream.push(Buffer.from(header))
  const bytes = Buffer.from(text)
  const original = Buffer.prototype.copy
  let count = 0
  Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<Buffer['copy']>) {
    const done = original.apply(this, args)
    count += done
    return done
  }
  let events = 0
  try {
    for (let at = 0; at < bytes.length; at += size)
      events += stream.push(bytes.subarray(at, at + size)).length
  } finally {
    Buffer.prototype.copy = original
  }
  assert.equal(events, 1)
  return count
}

for (const [name, build] of Object.entries(shapes)) {
  test(`V10: ${name} in small writes is copied a bounded number of times`, () => {
    const text = build(40_000)
    for (const size of [1, 16, 64])
      assert(copied(text, size) <= 4 * Buffer.byteLength(text) + 4_096)
  })
}
