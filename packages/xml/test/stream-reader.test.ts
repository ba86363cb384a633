import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  clientLimits,
  type Framing,
  preAuthLimits,
  type Stanza,
  StreamReader,
  XmlError,
} from '../src/index.ts'
import type { StreamEvent } from '../src/stream-event.ts'
import { header } from './corpus.ts'

const reader = (framing: Framing = 'tcp'): StreamReader =>
  new StreamReader({ limits: clientLimits, framing })

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function opened(): StreamReader {
  const stream = reader()
  stream.push(bytes(header))
  return stream
}

function only(events: readonly StreamEvent[]): Stanza {
  assert.equal(events.length, 1)
  const [event] = events
  assert(event?.kind === 'stanza')
  return event.stanza
}

const kinds = (events: readonly StreamEvent[]): string =>
  events.map((event) => (event.kind === 'stanza' ? event.stanza.name : event.kind)).join(' ')

test('RFC 6120 §4.2: the header says what stream it opens', () => {
  const [event] = reader().push(
    bytes(
      "<?xml version='1.0'?><s:stream from='juliet@im.example.com' to='im.example.com' version='1.0' xml:lang='en' xmlns='jabber:server' xmlns:s='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' db:x='1'>",
    ),
  )
  assert(event?.kind === 'open')
  const { attrs, prefixes, ...rest } = event.header
  assert.deepEqual(rest, {
    name: 'stream',
    ns: 'http://etherx.jabber.org/streams',
    defaultNs: 'jabber:server',
    lang: 'en',
    version: '1.0',
  })
  assert.deepEqual(Object.entries(attrs), [
    ['from', 'juliet@im.example.com'],
    ['to', 'im.example.com'],
    ['version', '1.0'],
    ['xml:lang', 'en'],
  ])
  assert.deepEqual(
    [...prefixes],
    [
      ['s', 'http://etherx.jabber.org/streams'],
      ['db', 'jabber:server:dialback'],
    ],
  )
})

test('XML §3.3.3: attributes of the header are unescaped and normalised', () => {
  const start =
    "<s:stream xmlns:s='http:&#47;/etherx.jabber.org/streams' to='a&amp;b\n&#x63;\td' from='a\r\nb'>"
  const [event] = reader().push(bytes(start))
  assert(event?.kind === 'open')
  assert.deepEqual({ ...event.header.attrs }, { to: 'a&b c d', from: 'a b' })
})

test('RFC 6120 §4.1: stanzas and nonzas come one by one, white space between them is nothing', () => {
  const events = opened().push(
    bytes(" \n<r xmlns='urn:xmpp:sm:3'/>\t<iq id='1'/>\r\n</stream:stream>"),
  )
  assert.equal(kinds(events), 'r iq close')
})

test('RFC 6120 §4.8.3: a stanza is in the content namespace, a prefix is what the header made it', () => {
  const stream = reader()
  stream.push(
    bytes(
      "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback'>",
    ),
  )
  const stanza = only(stream.push(bytes("<message to='a@b'><body>hi</body></message>")))
  assert.equal(stanza.ns, 'jabber:server')
  assert.deepEqual(
    stanza.children.map(({ name, ns }) => [name, ns]),
    [['body', 'jabber:server']],
  )
  const dialback = only(stream.push(bytes("<db:result from='a' to='b'>key</db:result>")))
  assert.deepEqual([dialback.name, dialback.ns], ['result', 'jabber:server:dialback'])
  assert.equal(
    dialback.toString(),
    "<result xmlns='jabber:server:dialback' from='a' to='b'>key</result>",
  )
})

test('a fault comes after what was complete before it, and ends the reader', () => {
  const stream = opened()
  const fault = { name: 'XmlError', condition: 'not-well-formed' }
  assert.throws(
    () => stream.push(bytes("<iq id='1'/><presence/><message></body>")),
    (error) => error instanceof XmlError && kinds(error.events) === 'iq presence',
  )
  assert.throws(() => stream.push(bytes('<iq/>')), fault)
  assert.throws(() => stream.next(), fault)
  assert.equal(stream.buffered, 0)
})

test('stanzas stay what they are while the reader goes on', () => {
  const stream = opened()
  const stanzas: Stanza[] = []
  const chunk = Array.from(
    { length: 200 },
    (_, n) => `<message id='${n}'><body>${n}</body></message>`,
  )
  const text = chunk.join(' ')
  for (let at = 0; at < text.length; at += 17) {
    for (const event of stream.push(bytes(text.slice(at, at + 17))))
      if (event.kind === 'stanza') stanzas.push(event.stanza)
  }
  assert.deepEqual(
    stanzas.map((stanza) => Buffer.from(stanza.wire('jabber:client')).toString()),
    chunk,
  )
})

test('RFC 6120 §6.4.6: what came with <auth/> is read as the new stream, if one says so', () => {
  const stream = opened()
  stream.feed(bytes(`<auth xmlns='sasl'/><?xml version='1.0'?>${header}<iq/><mess`))
  assert.equal(kinds([stream.next() as StreamEvent]), 'auth')
  stream.reset({ keepBuffered: true })
  assert.equal(kinds([stream.next(), stream.next()] as StreamEvent[]), 'open iq')
  assert.equal(stream.next(), undefined)
  assert.equal(stream.buffered, 5)
  assert.equal(kinds(stream.push(bytes('age/>'))), 'message')
})

test('RFC 6120 §6.4.6: a header that was begun in the old stream belongs to the new one', () => {
  const stream = opened()
  assert.equal(kinds(stream.push(bytes(`<auth xmlns='sasl'/>${header} <iq`))), 'auth')
  stream.reset({ keepBuffered: true })
  assert.equal(kinds(stream.push(bytes('/>'))), 'open iq')
})

test('RFC 6120 §5.3.5: what came with <starttls/> is thrown away', () => {
  const stream = opened()
  stream.feed(bytes("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><iq type='set'><evil/>"))
  assert.equal(kinds([stream.next() as StreamEvent]), 'starttls')
  stream.reset({ keepBuffered: false })
  assert.equal(stream.next(), undefined)
  assert.equal(stream.buffered, 0)
  assert.equal(kinds(stream.push(bytes(header))), 'open')
})

test('RFC 6120 §4.3.3: a new stream begins anew: namespaces, declaration, header', () => {
  const stream = opened()
  stream.reset({ keepBuffered: false })
  const again = "<?xml version='1.0'?><a:stream xmlns:a='http://etherx.jabber.org/streams'>"
  assert.equal(kinds(stream.push(bytes(` \n${again}`))), 'open')
  assert.equal(only(stream.push(bytes('<iq/>'))).ns, '')
  assert.throws(() => stream.push(bytes('<stream:error/>')), { condition: 'not-well-formed' })
})

test('§5.2: limits are those of the moment a byte is read', () => {
  const stream = new StreamReader({ limits: { ...preAuthLimits, elements: 3 } })
  stream.push(bytes(header))
  stream.feed(bytes('<auth/><iq><a/><b/><c/></iq>'))
  assert.equal(kinds([stream.next() as StreamEvent]), 'auth')
  stream.setLimits(clientLimits)
  assert.equal(kinds([stream.next() as StreamEvent]), 'iq')
})

test('RFC 7395 §3.3: <open/> and <close/> frame a WebSocket stream', () => {
  const stream = reader('websocket')
  const [event] = stream.push(
    bytes("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a' version='1.0' xml:lang='en'/>"),
  )
  assert(event?.kind === 'open')
  assert.equal(event.header.attrs.to, 'a')
  assert.deepEqual([event.header.version, event.header.lang], ['1.0', 'en'])
  const stanza = only(stream.push(bytes("<iq xmlns='jabber:client' id='1'/>")))
  assert.deepEqual([stanza.ns, stanza.id], ['jabber:client', '1'])
  assert.equal(only(stream.push(bytes('<iq/>'))).ns, '')
  const end = stream.push(bytes("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"))
  assert.equal(kinds(end), 'close')
})

test('RFC 7395 §3.2: a message is one whole element', () => {
  const faults: readonly [string, string][] = [
    ['<iq', 'not-well-formed'],
    ['<iq>', 'not-well-formed'],
    ['<iq/><iq/>', 'not-well-formed'],
    ['<iq/>x', 'not-well-formed'],
    ['x', 'not-well-formed'],
    [' <iq/>', 'bad-format'],
    [header, 'not-well-formed'],
    ['<!DOCTYPE a><iq/>', 'restricted-xml'],
  ]
  for (const [message, condition] of faults)
    assert.throws(() => reader('websocket').push(bytes(message)), { condition }, message)
  assert.equal(kinds(reader('websocket').push(bytes("<?xml version='1.0'?><iq/>\n"))), 'iq')
  assert.deepEqual(reader('websocket').push(bytes(' ')), [])
  assert.deepEqual(reader('websocket').push(bytes('')), [])
})
