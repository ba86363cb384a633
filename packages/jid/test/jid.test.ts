import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  bare,
  domainpart,
  domainToAscii,
  isBare,
  isFull,
  JidError,
  localpart,
  makeJid,
  parseBareJid,
  parseFullJid,
  parseJid,
  resourcepart,
  tryParseJid,
  withResource,
} from '../src/index.ts'

function vectors(file: string): string[][] {
  return readFileSync(new URL(`vectors/${file}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('# '))
    .map((line) => line.split(' => ').map(decode))
}

const decode = (text: string): string =>
  text.replace(/\\u\{([0-9A-F]+)\}/g, (_, hex) => String.fromCodePoint(Number.parseInt(hex, 16)))

/** Text in which every rule has something to do. */
const hostileText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'aAzZlL09-.@/[]:\\ &_'),
    fc.constantFrom(...'ßΣςσİéÉµÅſǅﬁⅣＡ／＠。٠۰א١ب·ـ・アー中゙'),
    fc.constantFrom('\u0301', '\u0307', '\u094D', '\u200C', '\u200D', '\u00AD', '\u1100', '\uFE0F'),
    fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
  ),
  maxLength: 12,
})

const jids = fc
  .tuple(hostileText, hostileText, hostileText)
  .map(([local, domain, resource]) => `${local}@${domain}/${resource}`)

describe('RFC 7622 §3.5: the sample addresses, and more of their kind', () => {
  for (const [text = '', prepared = text] of vectors('valid.txt'))
    test(`${JSON.stringify(text)} is ${JSON.stringify(prepared)}`, () => {
      assert.equal(parseJid(text), prepared)
      assert.equal(parseJid(prepared), prepared)
    })

  for (const [text = '', part] of vectors('invalid.txt'))
    test(`${JSON.stringify(text)} is refused for its ${part}`, () => {
      assert.throws(() => parseJid(text), { name: 'JidError', part })
      assert.equal(tryParseJid(text), undefined)
    })
})

describe('RFC 7622 §3.1: parts', () => {
  test('a full JID has three', () => {
    const jid = parseFullJid('juliet@example.com/b@l/cony')
    assert.deepEqual(
      [localpart(jid), domainpart(jid), resourcepart(jid), bare(jid)],
      ['juliet', 'example.com', 'b@l/cony', 'juliet@example.com'],
    )
    assert.ok(isFull(jid) && !isBare(jid))
  })

  test('a domain has one', () => {
    const jid = parseBareJid('example.com')
    assert.deepEqual(
      [localpart(jid), domainpart(jid), resourcepart(jid), bare(jid)],
      [undefined, 'example.com', undefined, 'example.com'],
    )
    assert.ok(isBare(jid) && !isFull(jid))
  })

  test('an at sign in the resourcepart separates nothing', () => {
    const jid = parseJid('example.com/a@b')
    assert.deepEqual([localpart(jid), domainpart(jid)], [undefined, 'example.com'])
  })

  test('a bare or a full JID is demanded by name', () => {
    assert.throws(() => parseBareJid('a@b/c'), { name: 'JidError', part: 'jid' })
    assert.throws(() => parseFullJid('a@b'), { name: 'JidError', part: 'jid' })
  })

  test('putting together prepares each part', () => {
    assert.equal(makeJid('Juliet', 'Example.COM', 'Balcony'), 'juliet@example.com/Balcony')
    assert.equal(makeJid(undefined, 'example.com.'), 'example.com')
    assert.equal(withResource(parseBareJid('a@b'), 'x\u00A0y'), 'a@b/x y')
    assert.throws(() => makeJid('', 'example.com'), JidError)
    assert.throws(() => makeJid('a/b', 'example.com'), JidError)
    assert.throws(() => makeJid('a', 'b/c'), JidError)
    assert.throws(() => withResource(parseBareJid('a@b'), ''), JidError)
  })
})

describe('RFC 7622 §3.2–3.4: 1 to 1023 octets a part', () => {
  const long = 'a'.repeat(1023)
  const longDomain = `${'a'.repeat(62)}.`.repeat(16).concat('b'.repeat(15))

  test('1023 are allowed, 1024 are not', () => {
    const jid = `${long}@${longDomain}/${long}`
    assert.equal(longDomain.length, 1023)
    assert.equal(parseJid(jid), jid)
    assert.throws(() => parseJid(`a${long}@b`), { part: 'localpart' })
    assert.throws(() => parseJid(`a@b.${longDomain}`), { part: 'domainpart' })
    assert.throws(() => parseJid(`a@b/a${long}`), { part: 'resourcepart' })
  })

  test('octets are counted, not characters, and after mapping', () => {
    assert.throws(() => parseJid(`${'\u00E9'.repeat(512)}@b`), { part: 'localpart' })
    assert.equal(parseJid(`${'\u{FF41}'.repeat(1023)}@b`), `${long}@b`)
  })

  test('RFC 5890 §2.3.1: a label has 63 octets, a U-label as many as its A-label', () => {
    assert.equal(parseJid('a'.repeat(63)), 'a'.repeat(63))
    assert.throws(() => parseJid('a'.repeat(64)), { part: 'domainpart' })
    assert.throws(() => parseJid(`${'a'.repeat(60)}\u00FC`), { part: 'domainpart' })
  })

  test('endless text is refused before it is looked at', () => {
    for (const text of ['\u00E9', 'a.', '\u200C', '@', '/', '\u00AD'])
      assert.throws(() => parseJid(text.repeat(1_000_000)), JidError)
    for (const text of ['\u00E9@b', 'a.\u00E9', 'b/\u00E9'])
      assert.throws(() => parseJid(text.replace('\u00E9', '\u00E9'.repeat(3070))), {
        message: /too long to be prepared$/,
      })
  })

  test('a message never quotes the text', () => {
    assert.throws(
      () => parseJid('<script>@example.com'),
      ({ message }) => !message.includes('script'),
    )
  })
})

test('RFC 5890 §2.3.2.1: DNS and certificates see A-labels', () => {
  assert.equal(
    domainToAscii(domainpart(parseJid('x@b\u00FCcher.example/y'))),
    'xn--bcher-kva.example',
  )
  assert.equal(domainToAscii('example.com'), 'example.com')
  assert.equal(domainToAscii('[::1]'), '[::1]')
  assert.throws(() => domainToAscii('a b\u00FC'), JidError)
})

describe('RFC 8264 §7: preparation', () => {
  test('is idempotent', () => {
    fc.assert(
      fc.property(jids, (text) => {
        const jid = tryParseJid(text)
        if (jid) assert.equal(parseJid(jid), jid)
      }),
      { numRuns: 20_000 },
    )
  })

  test('leaves parts that make the same address', () => {
    fc.assert(
      fc.property(jids, (text) => {
        const jid = tryParseJid(text)
        if (jid) assert.equal(makeJid(localpart(jid), domainpart(jid), resourcepart(jid)), jid)
      }),
      { numRuns: 5_000 },
    )
  })

  test('is the same by the short path and by the long', () => {
    // An upper-case letter sends any text down the long path.
    const ascii = fc.string({ unit: fc.constantFrom(...'abx019-.@!~\\"\' _[]'), maxLength: 16 })
    fc.assert(
      fc.property(ascii, (text) => {
        assert.equal(tryParseJid(`a${text}`), tryParseJid(`A${text}`))
      }),
      { numRuns: 20_000 },
    )
  })
})
