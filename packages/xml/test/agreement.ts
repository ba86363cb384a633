import assert from 'node:assert/strict'
import { equals, Stanza } from '../src/index.ts'
import { type Reading, readOurs, readSaxes } from './oracle.ts'
import { recipients } from './recipients.ts'

/** We never accept what saxes refuses, and what both accept is the same tree. */
export function expectAgreement(bytes: Buffer): void {
  const ours = readOurs(bytes)
  const theirs = readSaxes(bytes)
  const shown = JSON.stringify(bytes.toString('latin1'))
  if (theirs.fault !== undefined && !undecided(ours, theirs.fault))
    assert(ours.fault, `accepted, but: ${theirs.fault}\n${shown}`)
  if (theirs.complete && ours.fault === 'not-well-formed')
    assert(stricter(bytes), `refused, but saxes accepts\n${shown}`)
  expectEqualTrees(ours, theirs, shown)
}

/** We judge the encoding of an element when it is complete, and let nothing of it out before. */
function undecided(ours: Reading, fault: string): boolean {
  return ours.pending !== 0 && /not UTF-8|disallowed character/.test(fault)
}

/** Saxes and we may find a fault at different places; up to the first, the trees are the same. */
function expectEqualTrees(ours: Reading, theirs: Reading, shown: string): void {
  const both = ours.fault ?? theirs.fault
  if (both === undefined) assert.equal(ours.elements.length, theirs.elements.length, shown)
  ours.elements.forEach((element, index) => {
    const other = theirs.elements[index]
    assert(other && equals(element, other), `${element}\n${other}\n${shown}`)
  })
}

/** Where we are stricter on purpose. */
function stricter(bytes: Buffer): boolean {
  const text = bytes.toString('utf8')
  // RFC 6120 §11.6: U+FEFF is a character, and before the first element none may stand.
  if (text.startsWith('\ufeff') || /<xml:/.test(text)) return true
  // Namespaces in XML §4: what follows the colon must be a name by itself.
  return /:[-.0-9·]/.test(text)
}

/** What we pass on is a fixed point, and every parser reads in it what we validated. */
export function expectSafeToPassOn(stanza: Stanza): void {
  const again = Stanza.parse(stanza.bytes)
  assert.equal(again.toString(), stanza.toString())
  // Recipients read it in a stream, whose namespace what is in none would take on.
  const alone = stanza.ns === '' ? [] : [stanza.bytes, stanza.wire()]
  for (const wire of [...alone, stanza.wire('jabber:client')]) {
    const text = Buffer.from(wire).toString()
    for (const [name, read] of Object.entries(recipients)) {
      // Both put attributes into plain objects.
      if (name !== 'saxes' && text.includes('__proto__')) continue
      const element = read(text)
      assert(element && equals(element, stanza.element), `${name}: ${text}\n${element}`)
    }
  }
}
