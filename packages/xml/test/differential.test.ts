import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { expectAgreement, expectSafeToPassOn } from './agreement.ts'
import { header, stanzas, stream } from './corpus.ts'
import { mutations } from './mutate.ts'
import { readOurs, stanzasOf } from './oracle.ts'

test('XML 1.0: the corpus reads as saxes reads it', () => {
  for (const stanza of stanzas) {
    assert.equal(readOurs(Buffer.from(stream(stanza))).fault, undefined, stanza)
    expectAgreement(Buffer.from(stream(stanza)))
    for (const read of stanzasOf(Buffer.from(stream(stanza)))) expectSafeToPassOn(read)
  }
})

test('XML 1.0: whatever saxes refuses is refused, whatever is accepted is the same tree', () => {
  fc.assert(
    fc.property(fc.constantFrom(...stanzas), mutations, (stanza, mutate) =>
      expectAgreement(mutate(Buffer.from(stream(stanza)), header.length)),
    ),
    { numRuns: 5_000, seed: 6120 },
  )
})

test('stanza smuggling: what was accepted reads the same at the other end, whatever reads it', () => {
  fc.assert(
    fc.property(fc.constantFrom(...stanzas), mutations, (stanza, mutate) => {
      const bytes = mutate(Buffer.from(stream(stanza)), header.length)
      for (const read of stanzasOf(bytes)) expectSafeToPassOn(read)
    }),
    { numRuns: 5_000, seed: 7395 },
  )
})
