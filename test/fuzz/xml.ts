/**
 * Mutated streams until the time is over: `node --conditions=source test/fuzz/xml.ts [seconds] [seed]`.
 *
 * Stops at the first stream that saxes and we read differently, that depends on how it is cut, or that
 * another parser reads otherwise once we passed it on; prints the seed that finds it again.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import { expectAgreement, expectSafeToPassOn } from '../../packages/xml/test/agreement.ts'
import { header, stanzas, stream } from '../../packages/xml/test/corpus.ts'
import { mutations } from '../../packages/xml/test/mutate.ts'
import { readOurs, stanzasOf } from '../../packages/xml/test/oracle.ts'

const [seconds = '60', firstSeed] = process.argv.slice(2)
const deadline = performance.now() + Number(seconds) * 1_000

const property = fc.property(
  fc.array(fc.constantFrom(...stanzas), { minLength: 1, maxLength: 3 }),
  mutations,
  fc.integer({ min: 1, max: 64 }),
  (content, mutate, size) => {
    const bytes = mutate(Buffer.from(stream(...content)), header.length)
    expectAgreement(bytes)
    for (const stanza of stanzasOf(bytes)) expectSafeToPassOn(stanza)
    const [whole, cut] = [readOurs(bytes), readOurs(bytes, size)]
    assert.equal(cut.fault, whole.fault)
    assert.equal(cut.pending, whole.pending)
    assert.equal(cut.elements.join(), whole.elements.join())
  },
)

let runs = 0
do {
  const seed = firstSeed === undefined ? randomInt(2 ** 31) : Number(firstSeed)
  fc.assert(property, { seed, numRuns: 5_000 })
  runs += 5_000
} while (performance.now() < deadline && firstSeed === undefined)
process.stdout.write(`${runs} streams, no difference\n`)
