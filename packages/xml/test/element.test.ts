import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Element, createElement as ltx } from '@xmpp/xml'
import fc from 'fast-check'
import {
  clone,
  documentLimits,
  equals,
  parseElement,
  Stanza,
  serialize,
  type XmlElement,
  xml,
} from '../src/index.ts'

test('xml builds what it is told and leaves out what is nothing', () => {
  const element = xml('a', { xmlns: 'u', b: '1', c: undefined }, 'x', undefined, null, false, '', [
    xml('d'),
    [xml('e'), 'y'],
  ])
  assert(element instanceof Element)
  assert.equal(serialize(element), "<a xmlns='u' b='1'>x<d/><e/>y</a>")
  assert.equal(element.getChild('d', 'u')?.getNS(), 'u')
})

test('children added by name are as safe as their parent', () => {
  const child = xml('a', { xmlns: 'u' }).c('b', { xmlns: '', c: undefined })
  assert.equal(child.getNS(), '')
  assert.equal(child.toString(), '<b/>')
  assert.throws(() => child.t('\0').toString(), TypeError)
})

test('V55: an attribute may have any name', () => {
  const attrs = Object.fromEntries([['__proto__', '1']])
  assert.equal(serialize(xml('a', attrs)), "<a __proto__='1'/>")
  assert.equal(xml('a').attrs.constructor, undefined)
})

test("V07: xmlns='' means no namespace, whatever is around it", () => {
  const inner = parseElement("<a xmlns='u'><b xmlns=''/></a>").getChildElements()[0]
  assert.equal(inner?.getNS(), '')
  assert.equal(parseElement("<a xmlns='u'><b xmlns=''/></a>").getChild('b', 'u'), undefined)
})

test('an element serialized by itself says its namespace', () => {
  const parent = xml('a', { xmlns: 'u' }, xml('b'))
  const [child] = parent.getChildElements()
  assert(child)
  assert.equal(serialize(child), "<b xmlns='u'/>")
  assert.equal(serialize(child, 'u'), '<b/>')
  assert.equal(child.toString(), "<b xmlns='u'/>")
})

test('serialize writes prefixes away and keeps those that attributes need', () => {
  const element = ltx(
    'p:a',
    { 'xmlns:p': 'u', xmlns: 'v', 'p:x': '1', 'xml:lang': 'en', y: '2' },
    ltx('p:b'),
    ltx('c'),
    ltx('d', { 'p:z': '3' }),
  )
  assert.equal(
    serialize(element),
    "<a xmlns='u' xmlns:p='u' p:x='1' xml:lang='en' y='2'><b/><c xmlns='v'/><d xmlns='v' xmlns:p='u' p:z='3'/></a>",
  )
})

test('V04: serialize refuses what is not XML', () => {
  const bad: XmlElement[] = [
    xml(''),
    xml('a b'),
    xml('1'),
    xml('a:b:c'),
    xml(':a'),
    xml('a:'),
    xml('p:a'),
    xml('a><b'),
    xml('xmlns:a'),
    xml('xml:a'),
    xml('a', { 'b c': '' }),
    xml('a', { '': '' }),
    xml('a', { "b='1' c": '' }),
    xml('a', { 'p:b': '' }),
    xml('a', { 'xml:b c': '' }),
    xml('a', { xmlns: 'u\0' }),
    xml('a', { xmlns: ' u' }),
    xml('a', { xmlns: 'http://www.w3.org/2000/xmlns/' }),
    xml('a', { 'xmlns:p': 'u', 'xmlns:q': 'u', 'p:b': '1', 'q:b': '1' }),
    xml('a', { 'xmlns:p': '', 'p:b': '1' }),
    xml('a', { 'xmlns:p': 'http://www.w3.org/2000/xmlns/', 'p:b': '1' }),
    xml('a', { b: '\0' }),
    xml('a', { b: '\ud800' }),
    xml('a', null, '\x01'),
    xml('a', null, '\ufffe'),
    xml('a', null, 'x\udc00y'),
    xml('a', null, '\ud83cx'),
    xml('a', null, xml('b', null, '\uffff')),
  ]
  for (const element of bad) assert.throws(() => serialize(element), TypeError, element.name)
})

test('serialize escapes what could be read as something else', () => {
  const nasty = '<>&\'"\t\n\r]]>é🌹'
  assert.equal(
    serialize(xml('a', { b: nasty }, nasty)),
    "<a b='&lt;&gt;&amp;&apos;&quot;&#9;&#10;&#13;]]&gt;é🌹'>&lt;&gt;&amp;&apos;&quot;\t\n&#13;]]&gt;é🌹</a>",
  )
})

/** So many elements, one in the other; the outermost and the innermost. */
function nest(depth: number): [XmlElement, XmlElement] {
  const root = xml('a')
  let at = root
  for (let i = 1; i < depth; i++) at = at.cnode(xml('a'))
  return [root, at]
}

test('V08: nothing recurses: a million nested elements are written', () => {
  const [root] = nest(1_000_000)
  assert.equal(serialize(root).length, '<a></a>'.length * 999_999 + '<a/>'.length)
  assert.throws(() => Stanza.from(root), { condition: 'policy-violation' })
})

test('V08: nothing recurses: deep trees are read, copied and compared', () => {
  const [root, innermost] = nest(100_000)
  const copy = clone(root)
  assert(equals(root, copy))
  innermost.t('x')
  assert(!equals(root, copy))
  assert.equal(innermost.getNS(), undefined)
  assert.equal(innermost.root(), root)
  const boundless = { ...documentLimits, depth: 1e6 }
  assert(equals(parseElement(serialize(root), '', boundless), root))
})

test('clone: an independent copy that means the same elsewhere', () => {
  const parent = xml('a', { xmlns: 'u' }, xml('b', { x: '1' }, 'text', xml('c')))
  const [child] = parent.getChildElements()
  assert(child)
  const copy = clone(child)
  assert(equals(copy, child))
  copy.attrs.x = '2'
  copy.getChild('c')?.t('y')
  assert.equal(serialize(child), "<b xmlns='u' x='1'>text<c/></b>")
  assert.equal(serialize(copy), "<b xmlns='u' x='2'>text<c>y</c></b>")
})

test('equals goes by namespaces, not by spelling', () => {
  const same: readonly [string, string][] = [
    ["<a xmlns='u' b='1' c='2'/>", '<p:a c="2" b="1" xmlns:p="u"></p:a>'],
    ["<a xmlns:p='u' p:b='1'/>", "<a xmlns:q='u' q:b='1'/>"],
    ['<a>x<![CDATA[y]]>z</a>', '<a>xyz</a>'],
    ["<a xmlns='u'><b xmlns=''/></a>", "<p:a xmlns:p='u'><b/></p:a>"],
  ]
  for (const [a, b] of same) assert(equals(parseElement(a), parseElement(b)), `${a} ${b}`)
  const different: readonly [string, string][] = [
    ['<a/>', '<b/>'],
    ['<a/>', "<a xmlns='u'/>"],
    ["<a b='1'/>", "<a b='2'/>"],
    ["<a b='1'/>", '<a/>'],
    ["<a b='1' c='2'/>", "<a b='1,c=2'/>"],
    ['<a>x</a>', '<a>y</a>'],
    ['<a>x</a>', '<a/>'],
    ['<a><b/><c/></a>', '<a><c/><b/></a>'],
    ['<a>x<b/></a>', '<a><b/>x</a>'],
    ["<a xmlns:p='u' p:b='1'/>", "<a b='1'/>"],
  ]
  for (const [a, b] of different) assert(!equals(parseElement(a), parseElement(b)), `${a} ${b}`)
})

const name = fc.oneof(
  fc.constantFrom('a', 'body', 'é', '__proto__', 'constructor', '愛', '_-.1'),
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/),
)
const content = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    ' ',
    '\r\n',
    '\t',
    ']]>',
    '&amp;',
    '<![CDATA[',
    '\0',
    '\ud800',
    '\ufffe',
    "'",
    '"',
  ),
)
const namespace = fc.option(fc.constantFrom('u', 'v', '', 'jabber:client', "it's <&>"), {
  nil: undefined,
})
const { tree } = fc.letrec<{ tree: XmlElement }>((tie) => ({
  tree: fc
    .tuple(
      name,
      namespace,
      fc.dictionary(name, content, { maxKeys: 3 }),
      fc.array(fc.oneof({ maxDepth: 4, withCrossShrink: true }, content, tie('tree')), {
        maxLength: 3,
      }),
    )
    .map(([local, xmlns, attrs, children]) =>
      xml(local, { ...(xmlns === undefined ? {} : { xmlns }), ...attrs }, children),
    ),
}))

test('V04: what can be serialized reads back equal, everything else is refused', () => {
  let written = 0
  fc.assert(
    fc.property(tree, (element) => {
      let text: string
      try {
        text = serialize(element)
      } catch (error) {
        assert(error instanceof TypeError)
        return
      }
      written += 1
      assert(equals(parseElement(text), element), text)
      assert.equal(Stanza.parse(text).toString(), text)
    }),
    { numRuns: 5_000, seed: 4 },
  )
  assert(written > 1_000, String(written))
})
