import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseElement, Stanza, StreamReader, serverLimits, XmlError } from '../src/index.ts'
import { header } from './corpus.ts'
import { contents, openings } from './vectors.ts'

/** The condition a stream of these bytes ends with; null when there is no fault. */
function verdict(bytes: Uint8Array | string, size = 1_000): string | null {
  const reader = new StreamReader({ limits: serverLimits })
  const all = Buffer.from(bytes)
  try {
    for (let at = 0; at < all.length; at += size) reader.push(all.subarray(at, at + size))
    return null
  } catch (error) {
    assert(error instanceof XmlError, String(error))
    return error.condition
  }
}

for (const [name, sent, condition] of openings) {
  test(`RFC 6120 §4.2, §11: ${name} → ${condition ?? 'accepted'}`, () => {
    assert.equal(verdict(sent), condition)
    assert.equal(verdict(sent, 1), condition)
  })
}

for (const [name, sent, condition] of contents) {
  test(`RFC 6120 §11: ${name} → ${condition ?? 'accepted'}`, () => {
    assert.equal(verdict(header + sent), condition)
    assert.equal(verdict(header + sent, 1), condition)
  })
}

/** What every other entry point must refuse as the stream does (V01). */
const wholes = contents.filter(([, sent]) => sent.startsWith('<a') && !sent.includes('stream'))

test('V01: a message of a WebSocket stream, a stored stanza and a document are judged alike', () => {
  assert(wholes.length > 60)
  for (const [name, sent, condition] of wholes) {
    const entries: [string, () => unknown][] = [
      ['websocket', () => framed(sent)],
      ['Stanza.parse', () => Stanza.parse(sent)],
      ['parseElement', () => parseElement(sent)],
    ]
    for (const [entry, read] of entries) {
      if (condition === null) read()
      else assert.throws(read, { name: 'XmlError', condition }, `${entry}: ${name}`)
    }
  }
})

function framed(message: string) {
  return new StreamReader({ limits: serverLimits, framing: 'websocket' }).push(Buffer.from(message))
}

test('RFC 6120 §11.6: bytes of UTF-16 → unsupported-encoding', () => {
  const text = `<?xml version='1.0' encoding='UTF-16'?>${header}`
  const little = Buffer.from(`\ufeff${text}`, 'utf16le')
  assert.equal(verdict(little), 'unsupported-encoding')
  assert.equal(verdict(Buffer.from(little).swap16()), 'unsupported-encoding')
  assert.equal(verdict(Buffer.from(text, 'utf16le').swap16()), 'unsupported-encoding')
})

test('V55: names that JavaScript knows are names like others', () => {
  const stanza = Stanza.parse("<__proto__ __proto__='1' constructor='2'><toString/></__proto__>")
  assert.equal(stanza.name, '__proto__')
  assert.deepEqual(Object.entries(stanza.attrs), [
    ['__proto__', '1'],
    ['constructor', '2'],
  ])
  assert.equal(stanza.attrs.toString, undefined)
  assert.equal(Object.entries(stanza.element.attrs).flat().join(), '__proto__,1,constructor,2')
  assert.equal(Object.getPrototypeOf({}), Object.prototype)
  assert.equal(stanza.with({ hasOwnProperty: 'x' }).attrs.hasOwnProperty, 'x')
  assert.match(stanza.with({}).toString(), /^<__proto__ __proto__='1' constructor='2'><toString\/>/)
})
