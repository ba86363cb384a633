import assert from 'node:assert/strict'
import { test } from 'node:test'
import { documentLimits } from '../src/limits.ts'
import { foundElement, nothing, Scanner } from '../src/scanner.ts'
import { stanzas } from './corpus.ts'

test('V10: no byte is read twice: after every chunk the scanner stands at its end', () => {
  for (const stanza of stanzas) {
    const scanner = new Scanner(documentLimits)
    scanner.reset('jabber:client', false)
    const bytes = Buffer.from(stanza)
    for (let end = 1; end < bytes.length; end++) {
      const before = scanner.position
      assert.equal(before, end - 1)
      scanner.feed(bytes, 0, before, end)
      assert.equal(scanner.scan(), nothing, stanza)
      assert.equal(scanner.position, end, `${stanza} at ${end}`)
    }
    scanner.feed(bytes, 0, scanner.position, bytes.length)
    assert.equal(scanner.scan(), foundElement)
  }
})
