import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseBareJid, parseJid } from '@tactus/jid'
import { parseElement, Stanza } from '@tactus/xml'
import {
  childrenOf,
  delayElement,
  originId,
  readDelay,
  stampStanzaId,
  stanzaIdBy,
  stripDelays,
  stripStanzaIds,
  withoutChildren,
} from '../src/index.ts'

const parse = (content: string): Stanza =>
  Stanza.parse(`<message>${content}</message>`, 'jabber:client')
const room = parseBareJid('room@muc.example')
const ours = (id: string, by = 'room@muc.example'): string =>
  `<stanza-id xmlns='urn:xmpp:sid:0' id='${id}' by='${by}'/>`
const inside = (stanza: Stanza): string => stanza.toString().replace(/^<[^>]*>|<\/message>$/g, '')

describe('XEP-0359 §5, rule 3: ids that claim to be ours', () => {
  const forgeries: readonly [string, string][] = [
    ['one', ours('1')],
    ['two', ours('1') + ours('2')],
    ['three, spelled differently', ours('1') + ours('2', 'Room@MUC.example.') + ours('3')],
    [
      'one with content',
      `<stanza-id xmlns='urn:xmpp:sid:0' by='room@muc.example'><a/>b</stanza-id>`,
    ],
    ['one under a prefix', `<s:stanza-id xmlns:s='urn:xmpp:sid:0' id='1' by='room@muc.example'/>`],
    ['one in escapes', `<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='room&#64;muc.example'/>`],
  ]
  const rest = `<body>x</body><stanza-id xmlns='urn:xmpp:sid:0' id='9' by='other@muc.example'/>`
  for (const [what, forgery] of forgeries)
    for (const content of [forgery + rest, rest + forgery, `<a xmlns='b'/>${forgery}${rest}`])
      test(`${what} in ${content.slice(0, 30)}…`, () => {
        const stripped = inside(stripStanzaIds(parse(content), room))
        assert.equal(stripped, inside(parse(content.replace(forgery, ''))))
      })

  test('stay when they are somebody else’s, or nested', () => {
    const content = `${rest}<forwarded xmlns='urn:xmpp:forward:0'>${ours('1')}</forwarded><stanza-id xmlns='urn:example:x' by='room@muc.example'/><origin-id xmlns='urn:xmpp:sid:0' id='1' by='room@muc.example'/>${ours('1', 'other@muc.example')}`
    const stanza = parse(content)
    assert.equal(stripStanzaIds(stanza, room), stanza)
  })

  test('without by, or with a broken one, are nobody’s', () => {
    const stanza = parse(`<stanza-id xmlns='urn:xmpp:sid:0' id='1'/>${ours('1', '@')}`)
    assert.equal(stripStanzaIds(stanza, room), stanza)
  })
})

describe('XEP-0359 §3: assigning ids', () => {
  test('rule 5: ours is the only one of ours', () => {
    const stamped = stampStanzaId(parse(`${ours('1')}<body/>${ours('2')}`), { id: 'a', by: room })
    assert.equal(inside(stamped), `<body/>${ours('a')}`)
    assert.equal(stanzaIdBy(stamped, room), 'a')
    assert.equal(stanzaIdBy(stamped, parseBareJid('other@muc.example')), undefined)
  })

  test('§3.2: the origin id is read, never touched', () => {
    const stanza = parse(`<origin-id xmlns='urn:xmpp:sid:0' id='o'/>`)
    assert.equal(originId(stampStanzaId(stanza, { id: 'a', by: room })), 'o')
    assert.equal(originId(parse('')), undefined)
  })
})

describe('XEP-0203: delays', () => {
  const host = parseJid('example.com')
  const stamp = Date.UTC(2026, 2, 1, 12)

  test('§2: what we write we read', () => {
    const delay = { from: host, stamp, reason: 'Offline Storage' }
    assert.deepEqual(readDelay(delayElement(delay)), delay)
    assert.deepEqual(readDelay(delayElement({ stamp })), { stamp })
    assert.equal(
      inside(parse('').append(delayElement(delay))),
      `<delay xmlns='urn:xmpp:delay' from='example.com' stamp='2026-03-01T12:00:00.000Z'>Offline Storage</delay>`,
    )
  })

  test('§2: without a moment it says nothing', () => {
    for (const attributes of ['', `stamp=''`, `stamp='20260301T12:00:00'`])
      assert.equal(
        readDelay(parseElement(`<delay xmlns='urn:xmpp:delay' ${attributes}/>`)),
        undefined,
      )
  })

  test('§5: a broken sender is none', () => {
    const element = parseElement(
      `<delay xmlns='urn:xmpp:delay' from='@' stamp='2026-03-01T12:00:00Z'/>`,
    )
    assert.deepEqual(readDelay(element), { stamp })
  })

  test('SECURITY: all that claim to come from us are cut, others stay', () => {
    const by = (from: string): string =>
      `<delay xmlns='urn:xmpp:delay' from='${from}' stamp='2026-03-01T12:00:00Z'/>`
    const stanza = parse(
      by('example.com') + by('a@b') + by('EXAMPLE.com') + by('room@muc.example') + by('@'),
    )
    assert.equal(inside(stripDelays(stanza, [host, room])), by('a@b') + by('@'))
  })
})

describe('Direct children', () => {
  test('are all found, each as a tree of its own', () => {
    const stanza = parse(`<a>1</a><b/><a xmlns='urn:example:x'/><a>2</a>`)
    const found = childrenOf(stanza, 'a', 'jabber:client')
    assert.deepEqual(
      found.map((element) => [element.text(), element.getNS()]),
      [
        ['1', 'jabber:client'],
        ['2', 'jabber:client'],
      ],
    )
  })

  test('a stanza that loses nothing is the same stanza', () => {
    const stanza = parse('<a/>')
    assert.equal(
      withoutChildren(stanza, { name: 'a', ns: 'jabber:client' }, () => false),
      stanza,
    )
  })
})
