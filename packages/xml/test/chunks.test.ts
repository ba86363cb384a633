import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  preAuthLimits,
  type ReaderLimits,
  StreamReader,
  serverLimits,
  XmlError,
} from '../src/index.ts'
import type { StreamEvent } from '../src/stream-event.ts'
import { header, stanzas, stream } from './corpus.ts'
import { mutations } from './mutate.ts'

function show(event: StreamEvent): string {
  if (event.kind === 'stanza') {
    const { stanza } = event
    return `${stanza} ${JSON.stringify(stanza.attrs)} ${JSON.stringify(stanza.children)}`
  }
  return event.kind === 'open' ? JSON.stringify(event.header) : event.kind
}

/** All that a reader says to these chunks, ending with the error or with what it still holds. */
function transcript(chunks: readonly Uint8Array[], limits: ReaderLimits = serverLimits): string[] {
  const reader = new StreamReader({ limits })
  const lines: string[] = []
  for (const chunk of chunks) {
    try {
      lines.push(...reader.push(chunk).map(show))
    } catch (error) {
      if (!(error instanceof XmlError)) throw error
      return [...lines, ...error.events.map(show), error.condition]
    }
  }
  return [...lines, `buffered ${reader.buffered}, mid item ${reader.midItem}`]
}

/** Copies, so that no chunk shares memory with another. */
function chunksOf(bytes: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size))
  return chunks
}

test('RFC 6120 §4: a stream cut in two at any byte gives the same events', () => {
  for (const stanza of stanzas) {
    const bytes = Buffer.from(stream(stanza, ' ', stanza))
    const whole = transcript([bytes])
    for (let at = header.length - 2; at < bytes.length; at++)
      assert.deepEqual(transcript([bytes.slice(0, at), bytes.slice(at)]), whole, stanza)
  }
})

test('RFC 6120 §4: a stream that comes byte by byte gives the same events', () => {
  const bytes = Buffer.from(`<?xml version='1.0'?>\n${stream(...stanzas)}`)
  assert.equal(transcript([bytes]).length, stanzas.length + 3)
  for (const size of [1, 2, 3, 5, 7, 64, 1000])
    assert.deepEqual(transcript(chunksOf(bytes, size)), transcript([bytes]))
})

test('RFC 6120 §4.9: a fault is the same fault, after the same events, however it is cut', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...stanzas),
      mutations,
      fc.integer({ min: 1, max: 40 }),
      (stanza, mutate, size) => {
        const bytes = mutate(Buffer.from(stream(stanza)), header.length)
        const whole = transcript([bytes])
        assert.deepEqual(transcript(chunksOf(bytes, 1)), whole)
        assert.deepEqual(transcript(chunksOf(bytes, size)), whole)
      },
    ),
    { numRuns: 4_000, seed: 49 },
  )
})

const someLimits: fc.Arbitrary<ReaderLimits> = fc.record({
  bytes: fc.integer({ min: 100, max: 300 }),
  depth: fc.integer({ min: 1, max: 6 }),
  elements: fc.integer({ min: 1, max: 8 }),
  attributes: fc.integer({ min: 1, max: 5 }),
  namespaces: fc.integer({ min: 1, max: 4 }),
  nameBytes: fc.integer({ min: 5, max: 20 }),
  attributeBytes: fc.integer({ min: 20, max: 80 }),
  totalBytes: fc.integer({ min: 150, max: 500 }),
})

test('RFC 6120 §4.9.3.14: a limit ends the stream at the same place, however it is cut', () => {
  const outcomes = new Set<string | undefined>()
  fc.assert(
    fc.property(
      fc.constantFrom(...stanzas),
      mutations,
      someLimits,
      fc.integer({ min: 1, max: 40 }),
      (stanza, mutate, limits, size) => {
        const bytes = mutate(Buffer.from(stream(stanza, stanza)), header.length)
        const whole = transcript([bytes], limits)
        assert.deepEqual(transcript(chunksOf(bytes, 1), limits), whole)
        assert.deepEqual(transcript(chunksOf(bytes, size), limits), whole)
        outcomes.add(whole.at(-1))
      },
    ),
    { numRuns: 4_000, seed: 50 },
  )
  assert(outcomes.has('policy-violation'))
  assert(outcomes.has('not-well-formed'))
})

test('the peer may be as slow as it likes: an unfinished stanza is kept, and only that', () => {
  const reader = new StreamReader({ limits: preAuthLimits })
  reader.push(Buffer.from(header))
  assert.deepEqual([reader.buffered, reader.midItem], [0, false])
  reader.push(Buffer.from("<auth mechanism='PL"))
  assert.deepEqual([reader.buffered, reader.midItem], [19, true])
  reader.push(Buffer.from("AIN'/>   <a"))
  assert.deepEqual([reader.buffered, reader.midItem], [2, true])
  reader.push(Buffer.from('/>   '))
  assert.deepEqual([reader.buffered, reader.midItem], [0, false])
})
