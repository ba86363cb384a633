import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  equals,
  parseElement,
  preAuthLimits,
  Stanza,
  serialize,
  type XmlElement,
  XmlError,
  xml,
} from '../src/index.ts'
import { stanzas } from './corpus.ts'

const client = 'jabber:client'
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

const message = Stanza.parse(
  "<message xmlns='jabber:client' to='juliet@capulet.example' id='m1' type='chat' xml:lang='en'>" +
    "<body>Neither</body><active xmlns='http://jabber.org/protocol/chatstates'/> <body xml:lang='de'>Weder</body></message>",
)

test('RFC 6120 §8.1: a stanza has the five common attributes', () => {
  const { to, from, id, type, lang, name, ns } = message
  assert.deepEqual(
    [to, from, id, type, lang, name, ns],
    ['juliet@capulet.example', undefined, 'm1', 'chat', 'en', 'message', client],
  )
  assert.deepEqual(Object.keys(message.attrs), ['to', 'id', 'type', 'xml:lang'])
})

test('children are known by name, namespace and place, without a tree', () => {
  assert.deepEqual(
    message.children.map(({ name, start, end }) => [
      name,
      text(message.bytes.subarray(start, end)),
    ]),
    [
      ['body', '<body>Neither</body>'],
      ['active', "<active xmlns='http://jabber.org/protocol/chatstates'/>"],
      ['body', "<body xml:lang='de'>Weder</body>"],
    ],
  )
  assert(message.hasChild('body', client))
  assert(message.hasChild(null, 'http://jabber.org/protocol/chatstates'))
  assert(!message.hasChild('active', client))
  assert(!message.hasChild(null, 'jabber:server'))
})

test('a child is the tree of that child alone, and says its namespace itself', () => {
  const body = message.child('body', client)
  assert.equal(body?.toString(), "<body xmlns='jabber:client'>Neither</body>")
  assert.equal(body?.parent, null)
  assert.equal(message.child('body', client), body)
  assert.equal(message.child('subject', client), undefined)
  const [, , german] = message.children
  assert(german)
  assert.equal(
    message.extract(german).toString(),
    "<body xmlns='jabber:client' xml:lang='de'>Weder</body>",
  )
})

test('V07: a child in no namespace stays in none, wherever it is put', () => {
  const child = Stanza.parse("<iq xmlns='jabber:client'><q xmlns=''/></iq>").child('q', '')
  assert(child)
  assert.equal(serialize(xml('a', { xmlns: 'u' }, child)), "<a xmlns='u'><q xmlns=''/></a>")
})

test('Stanza.parse takes limits, for what a peer sent as a whole', () => {
  const body =
    "<body xmlns='http://jabber.org/protocol/httpbind'><iq xmlns='jabber:client'/></body>"
  assert.equal(Stanza.parse(body, '', { ...preAuthLimits, elements: 2 }).children.length, 1)
  const condition = 'policy-violation'
  assert.throws(() => Stanza.parse(body, '', { ...preAuthLimits, elements: 1 }), { condition })
  assert.throws(() => Stanza.parse(body, '', { ...preAuthLimits, bytes: 80 }), { condition })
})

test('XEP-0297: what is forwarded is a stanza again', () => {
  const carbon = Stanza.parse(
    "<message xmlns='jabber:client'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' to='a@b'><body>x</body></message></forwarded></message>",
  )
  const forwarded = carbon.extract(carbon.children[0] as never)
  assert.equal(forwarded.extract(forwarded.children[0] as never).to, 'a@b')
})

test('with: another start tag, the same content', () => {
  const stamped = message.with({ from: "romeo@montague.example/o'r", to: undefined, id: 'm2' })
  assert.equal(
    stamped.toString(),
    "<message xmlns='jabber:client' id='m2' type='chat' xml:lang='en' from='romeo@montague.example/o&apos;r'>" +
      "<body>Neither</body><active xmlns='http://jabber.org/protocol/chatstates'/> <body xml:lang='de'>Weder</body></message>",
  )
  assert.equal(message.from, undefined)
  assert.equal(stamped.children.length, 3)
  assert.equal(text(stamped.bytes.subarray(stamped.children[0]?.start)).slice(0, 6), '<body>')
  const unchanged = Stanza.parse("<iq xmlns='jabber:client' id='1'/>").with({ id: undefined })
  assert.equal(unchanged.toString(), "<iq xmlns='jabber:client'/>")
})

test('with: what is no XML is refused at once', () => {
  const attempts: Record<string, string>[] = [
    { 'a b': '' },
    { xmlns: 'jabber:server' },
    { 'p:a': '1' },
    { '': '1' },
    { '1': '1' },
    { to: 'a\0' },
    { to: '\ud800' },
    { to: '\uffff' },
  ]
  for (const attempt of attempts) assert.throws(() => message.with(attempt), TypeError)
})

test('append: children at the end, in their namespaces', () => {
  const delayed = Stanza.parse("<message xmlns='jabber:client'/>").append(
    xml('delay', { xmlns: 'urn:xmpp:delay', stamp: 'now' }),
    xml('body', null, 'wörld'),
    xml('thread', { xmlns: client }, 't'),
  )
  assert.equal(
    delayed.toString(),
    "<message xmlns='jabber:client'><delay xmlns='urn:xmpp:delay' stamp='now'/><body>wörld</body><thread>t</thread></message>",
  )
  assert.deepEqual(
    delayed.children.map(({ name, ns, start, end }) => [
      name,
      ns,
      text(delayed.bytes.subarray(start, end)),
    ]),
    [
      ['delay', 'urn:xmpp:delay', "<delay xmlns='urn:xmpp:delay' stamp='now'/>"],
      ['body', client, '<body>wörld</body>'],
      ['thread', client, '<thread>t</thread>'],
    ],
  )
  assert.throws(() => message.append(xml('a b')), TypeError)
  const streams = 'http://etherx.jabber.org/streams'
  assert.throws(() => message.append(xml('a', null, xml('error', { xmlns: streams }))), TypeError)
  assert(message.append(xml('body', null, `xmlns='${streams}'`)))
  assert.throws(
    () => message.append(xml('error', { xmlns: 'http://etherx.jabber.org/streams' })),
    TypeError,
  )
})

test('without: children cut out, the rest as it was', () => {
  const cut = message.without(({ ns }) => ns !== client)
  assert.equal(
    cut.toString(),
    "<message xmlns='jabber:client' to='juliet@capulet.example' id='m1' type='chat' xml:lang='en'><body>Neither</body> <body xml:lang='de'>Weder</body></message>",
  )
  assert.deepEqual(
    cut.children.map(({ start, end }) => text(cut.bytes.subarray(start, end))),
    ['<body>Neither</body>', "<body xml:lang='de'>Weder</body>"],
  )
  assert.equal(
    message.without(() => false),
    message,
  )
  const bare = Stanza.parse("<iq xmlns='jabber:client'><a/><b/></iq>").without(() => true)
  assert.equal(bare.toString(), "<iq xmlns='jabber:client'/>")
  assert.deepEqual(bare.children, [])
})

test('RFC 6120 §4.8.3: in another content namespace, what inherited the old one inherits the new', () => {
  const sent = Stanza.parse(
    "<message xmlns='jabber:client'><body>x</body><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>y</body></message></forwarded></message>",
  ).inNamespace('jabber:server')
  assert.equal(
    sent.toString(),
    "<message xmlns='jabber:server'><body>x</body><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>y</body></message></forwarded></message>",
  )
  assert(sent.hasChild('body', 'jabber:server'))
  assert.equal(sent.child('body', 'jabber:server')?.getNS(), 'jabber:server')
  assert.equal(text(sent.wire('jabber:server')).slice(0, 9), '<message>')
})

test('wire: the content namespace is left out inside a TCP stream that has it', () => {
  const iq = Stanza.parse("<iq xmlns='jabber:client' id='1'/>")
  assert.equal(text(iq.wire(client)), "<iq id='1'/>")
  assert.equal(text(iq.wire('jabber:server')), "<iq xmlns='jabber:client' id='1'/>")
  assert.equal(text(iq.wire()), "<iq xmlns='jabber:client' id='1'/>")
  assert.equal(text(Stanza.parse('<iq/>').wire(client)), "<iq xmlns=''/>")
})

test('RFC 6120 §4.8.5: what belongs to the stream is sent with the prefix that all clients know', () => {
  const features = Stanza.from(
    xml(
      'features',
      { xmlns: 'http://etherx.jabber.org/streams' },
      xml('bind', { xmlns: 'urn:ietf:params:xml:ns:xmpp-bind' }),
    ),
  )
  const inner = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"
  assert.equal(text(features.wire(client)), `<stream:features>${inner}`)
  assert.equal(
    text(features.wire()),
    `<stream:features xmlns:stream='http://etherx.jabber.org/streams'>${inner}`,
  )
})

test('attributes of other namespaces stay with the start tag, whatever else changes', () => {
  const stanza = Stanza.parse("<message xmlns='a' xmlns:p='urn:p' xmlns:q='urn:q' p:x='1' to='b'/>")
  assert.equal(
    stanza.with({ from: 'c' }).toString(),
    "<message xmlns='a' to='b' from='c' xmlns:p='urn:p' p:x='1'/>",
  )
  assert.deepEqual(Object.keys(stanza.attrs), ['to'])
})

test('canonical bytes are passed on as they came', () => {
  const canonical = [
    '<message xmlns="jabber:client" to="a"><body>it\'s "ok" &amp; &lt;fine&gt; &apos;&quot;</body></message>',
    "<a xmlns='x' b=\"it's\" ><c /></a>".replace(' >', '>'),
    "<a xmlns='x' b='&#9;&#10;&#13;'>&#13;\n\t</a>",
    "<a xmlns='x'><b xmlns=''><c xmlns='x'/></b></a>",
    "<é xmlns='ü' ß='ö'>ä</é>",
  ]
  for (const sent of canonical) assert.equal(Stanza.parse(sent).toString(), sent)
})

test('anything else is rewritten, so that every parser reads what was validated', () => {
  const rewritten: readonly [string, string][] = [
    ["<a  xmlns='x'/>", "<a xmlns='x'/>"],
    ["<a xmlns='x'\n/>", "<a xmlns='x'/>"],
    ["<a xmlns='x' ></a>", "<a xmlns='x'/>"],
    ["<a xmlns = 'x'/>", "<a xmlns='x'/>"],
    ["<a xmlns='x'><b></b\t></a>", "<a xmlns='x'><b/></a>"],
    ["<a xmlns='x'>&#65;&#x26;&#10;</a>", "<a xmlns='x'>A&amp;\n</a>"],
    ["<a xmlns='x'>b > c</a>", "<a xmlns='x'>b &gt; c</a>"],
    ["<a xmlns='x'>b\r\nc\rd</a>", "<a xmlns='x'>b\nc\nd</a>"],
    ["<a xmlns='x' b='>'/>", "<a xmlns='x' b='&gt;'/>"],
    ["<a xmlns='x' b='1\n2\t3\r\n4\r5'/>", "<a xmlns='x' b='1 2 3 4 5'/>"],
    ["<a xmlns='x' b='&#xD;&#xA;&#x9;'/>", "<a xmlns='x' b='&#13;&#10;&#9;'/>"],
    ["<a xmlns='x'><![CDATA[<b>]]></a>", "<a xmlns='x'>&lt;b&gt;</a>"],
    ["<a xmlns='x'><![CDATA[\r\n]]></a>", "<a xmlns='x'>\n</a>"],
    ["<a xmlns='x'><![CDATA[]]></a>", "<a xmlns='x'/>"],
    ["<p:a xmlns:p='x'><p:b/><c/></p:a>", "<a xmlns='x'><b/><c xmlns=''/></a>"],
    ["<a xmlns='x'><b xmlns='x'/></a>", "<a xmlns='x'><b/></a>"],
    ["<a xmlns='x' xmlns:unused='y'/>", "<a xmlns='x'/>"],
    [
      "<a xmlns='x'><p:b xmlns:p='y' p:c='1'/></a>",
      "<a xmlns='x'><b xmlns='y' xmlns:p='y' p:c='1'/></a>",
    ],
    ["<a xmlns='&#120;'/>", "<a xmlns='x'/>"],
  ]
  for (const [sent, canonical] of rewritten) {
    const stanza = Stanza.parse(sent)
    assert.equal(stanza.toString(), canonical)
    assert(equals(stanza.element, parseElement(sent)))
    assert.equal(Stanza.parse(canonical).toString(), canonical)
  }
})

test('parse: even what was stored is validated', () => {
  for (const stored of ['', ' ', '<a>', '<a/><b/>', 'x', '<a/>x', '\ud800', "<a b='\ud800'/>"])
    assert.throws(() => Stanza.parse(stored), XmlError, stored)
  assert.equal(Stanza.parse("<?xml version='1.0'?> <a/> \n", 'u').ns, 'u')
})

test('from and element: a tree makes a round trip', () => {
  for (const stanza of stanzas) {
    const parsed = Stanza.parse(stanza, client)
    assert(equals(Stanza.from(parsed.element).element, parsed.element))
    assert.equal(
      Stanza.from(parsed.element).toString(),
      Stanza.parse(parsed.element.toString()).toString(),
    )
  }
})

type Edit =
  | { readonly attr: string; readonly value: string | undefined }
  | { readonly add: string }
  | { readonly drop: number }

const anEdit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({
    attr: fc.constantFrom('to', 'from', 'id', 'xml:lang'),
    value: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
  }),
  fc.record({ add: fc.constantFrom('x', 'body', 'é') }),
  fc.record({ drop: fc.nat({ max: 3 }) }),
)

/** The same change of a stanza and of a tree. */
function edit(stanza: Stanza, tree: XmlElement, step: Edit): Stanza {
  if ('attr' in step) {
    if (step.value === undefined) delete tree.attrs[step.attr]
    else tree.attrs[step.attr] = step.value
    return stanza.with({ [step.attr]: step.value })
  }
  if ('add' in step) {
    tree.cnode(xml(step.add, { xmlns: 'urn:new' }, 'ö'))
    return stanza.append(xml(step.add, { xmlns: 'urn:new' }, 'ö'))
  }
  const [victim, doomed] = [stanza.children[step.drop], tree.getChildElements()[step.drop]]
  tree.children = tree.children.filter((child) => child !== doomed)
  return stanza.without((child) => child === victim)
}

test('edits of bytes mean what edits of trees mean', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...stanzas),
      fc.array(anEdit, { maxLength: 6 }),
      (source, steps) => {
        let stanza = Stanza.parse(source, client)
        for (const step of steps) {
          const tree = parseElement(stanza.bytes)
          stanza = edit(stanza, tree, step)
          assert(equals(stanza.element, tree), `${stanza}\n${tree}`)
          assert.deepEqual(stanza.children, Stanza.parse(stanza.bytes).children)
        }
      },
    ),
    { numRuns: 1_000, seed: 8 },
  )
})
