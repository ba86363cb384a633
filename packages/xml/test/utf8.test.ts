import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StreamReader, serverLimits, XmlError } from '../src/index.ts'
import { header } from './corpus.ts'

/** V03. What a lenient decoder would make of it, and the bytes. */
const invalid: readonly [string, readonly number[]][] = [
  ['lone continuation 80', [0x80]],
  ['lone continuation BF', [0xbf]],
  ['two continuations', [0x80, 0xbf]],
  ['overlong / as C0 AF', [0xc0, 0xaf]],
  ['overlong < as C0 BC', [0xc0, 0xbc]],
  ['overlong < as E0 80 BC', [0xe0, 0x80, 0xbc]],
  ['overlong < as F0 80 80 BC', [0xf0, 0x80, 0x80, 0xbc]],
  ['overlong < as F8', [0xf8, 0x80, 0x80, 0x80, 0xbc]],
  ['overlong < as FC', [0xfc, 0x80, 0x80, 0x80, 0x80, 0xbc]],
  ['overlong NUL as C0 80', [0xc0, 0x80]],
  ['overlong NUL as E0 80 80', [0xe0, 0x80, 0x80]],
  ['overlong U+007F as C1 BF', [0xc1, 0xbf]],
  ['overlong U+07FF as E0 9F BF', [0xe0, 0x9f, 0xbf]],
  ['overlong U+FFFF as F0 8F BF BF', [0xf0, 0x8f, 0xbf, 0xbf]],
  ['surrogate D800', [0xed, 0xa0, 0x80]],
  ['surrogate DBFF', [0xed, 0xaf, 0xbf]],
  ['surrogate DC00', [0xed, 0xb0, 0x80]],
  ['surrogate DFFF', [0xed, 0xbf, 0xbf]],
  ['surrogate pair (CESU-8)', [0xed, 0xa0, 0x81, 0xed, 0xb0, 0x80]],
  ['beyond Unicode F4 90', [0xf4, 0x90, 0x80, 0x80]],
  ['beyond Unicode F5', [0xf5, 0x80, 0x80, 0x80]],
  ['beyond Unicode F7', [0xf7, 0xbf, 0xbf, 0xbf]],
  ['five bytes F8', [0xf8, 0x88, 0x80, 0x80, 0x80]],
  ['six bytes FC', [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80]],
  ['FE', [0xfe]],
  ['FF', [0xff]],
  ['FE FE FF FF', [0xfe, 0xfe, 0xff, 0xff]],
  ['cut short: C3', [0xc3]],
  ['cut short: E2 82', [0xe2, 0x82]],
  ['cut short: E2', [0xe2]],
  ['cut short: F0 9F 8C', [0xf0, 0x9f, 0x8c]],
  ['cut short: F0 9F', [0xf0, 0x9f]],
  ['cut short by another: E2 82 E2 82 AC', [0xe2, 0x82, 0xe2, 0x82, 0xac]],
  ['cut short by ASCII: E2 41 AC', [0xe2, 0x41, 0xac]],
  ['one too many: C3 A9 A9', [0xc3, 0xa9, 0xa9]],
  ['U+FFFE', [0xef, 0xbf, 0xbe]],
  ['U+FFFF', [0xef, 0xbf, 0xbf]],
]

const valid: readonly [string, readonly number[]][] = [
  ['U+0080', [0xc2, 0x80]],
  ['U+07FF', [0xdf, 0xbf]],
  ['U+0800', [0xe0, 0xa0, 0x80]],
  ['U+D7FF', [0xed, 0x9f, 0xbf]],
  ['U+E000', [0xee, 0x80, 0x80]],
  ['U+FEFF, which is no byte order mark here', [0xef, 0xbb, 0xbf]],
  ['U+FFFD', [0xef, 0xbf, 0xbd]],
  ['U+10000', [0xf0, 0x90, 0x80, 0x80]],
  ['U+1FFFE', [0xf0, 0x9f, 0xbf, 0xbe]],
  ['U+10FFFF', [0xf4, 0x8f, 0xbf, 0xbf]],
  ['bytes of U+FFFE across characters', [0xe0, 0xbf, 0xaf, 0xef, 0xbf, 0xbd, 0xe0, 0xbe, 0xbf]],
]

/** Where the bytes stand: in text, in an attribute, in CDATA, in names. */
const places: readonly [string, (bytes: Buffer) => Buffer][] = [
  ['text', (bytes) => join('<a><b>x', bytes, 'y</b></a>')],
  ['text before a tag', (bytes) => join('<a>', bytes, '<b/></a>')],
  ['an attribute', (bytes) => join("<a><b c='", bytes, "'/></a>")],
  ["the stanza's attribute", (bytes) => join("<a to='", bytes, "' from='é'/>")],
  ['CDATA', (bytes) => join('<a><![CDATA[', bytes, ']]></a>')],
]
const names: readonly [string, (bytes: Buffer) => Buffer][] = [
  ['an element name', (bytes) => join('<a', bytes, '/>')],
  ['an attribute name', (bytes) => join('<a b', bytes, "='1'/>")],
  ['an end tag', (bytes) => join('<aé></aé', bytes, '>')],
  ['an entity name', (bytes) => join('<a>&a', bytes, ';</a>')],
]

function join(before: string, bytes: Buffer, after: string): Buffer {
  return Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)])
}

/** The text of the stanza, or the condition. */
function read(chunks: readonly Uint8Array[]): string {
  const reader = new StreamReader({ limits: serverLimits })
  reader.push(Buffer.from(header))
  try {
    for (const event of chunks.flatMap((chunk) => reader.push(chunk)))
      if (event.kind === 'stanza') return Buffer.from(event.stanza.wire('jabber:client')).toString()
    return 'nothing'
  } catch (error) {
    assert(error instanceof XmlError, String(error))
    return error.condition
  }
}

/** The bytes whole, one by one, and cut in two at every place. */
function* cuts(bytes: Buffer): Generator<readonly Uint8Array[]> {
  yield [bytes]
  yield Array.from(bytes, (byte) => Uint8Array.of(byte))
  for (let at = 1; at < bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)]
}

for (const [name, sequence] of invalid) {
  test(`V03: ${name} → not-well-formed`, () => {
    for (const [place, build] of [...places, ...names])
      for (const chunks of cuts(build(Buffer.from(sequence))))
        assert.equal(read(chunks), 'not-well-formed', place)
  })
}

for (const [name, sequence] of valid) {
  test(`V03: ${name} → accepted`, () => {
    for (const [place, build] of places) {
      const bytes = build(Buffer.from(sequence))
      for (const chunks of cuts(bytes))
        if (place === 'CDATA') assert.equal(read(chunks), `<a>${Buffer.from(sequence)}</a>`)
        else assert.equal(read(chunks), bytes.toString(), place)
    }
  })
}

test('V03: invalid bytes in the header → not-well-formed', () => {
  for (const [name, sequence] of invalid) {
    const bytes = join(`${header.slice(0, -1)} a='`, Buffer.from(sequence), "'>")
    const reader = new StreamReader({ limits: serverLimits })
    assert.throws(() => reader.push(bytes), { condition: 'not-well-formed' }, name)
  }
})
