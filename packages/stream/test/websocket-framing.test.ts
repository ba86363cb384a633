import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StreamError } from '@tactus/stanza'
import { clientLimits, preAuthLimits, Stanza, type StreamEvent, xml } from '@tactus/xml'
import { type StreamInput, websocketFraming } from '../src/index.ts'

const framing = websocketFraming()
const open = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a.example' version='1.0'/>"
const close = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"
const iq = "<iq xmlns='jabber:client'/>"

/** A masked text frame; the mask is of zeros. */
function text(payload: string, opcode = 1): Buffer {
  const bytes = Buffer.from(payload)
  assert(bytes.length < 126)
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | bytes.length, 0, 0, 0, 0]), bytes])
}

function input(limits = preAuthLimits, answers: Buffer[] = []): StreamInput {
  return framing.input(limits, (bytes) => answers.push(Buffer.from(bytes)))
}

function kinds(from: StreamInput, ...frames: readonly Buffer[]): string {
  for (const frame of frames) from.feed(frame)
  const found: string[] = []
  for (let event: StreamEvent | undefined = from.next(); event; event = from.next())
    found.push(event.kind)
  return found.join(' ')
}

test('RFC 7395 §3.4, §3.6, §3.7: <open/>, stanzas, <open/> again after a restart, <close/>', () => {
  const stream = input()
  assert.equal(kinds(stream, text(open), text(iq)), 'open stanza')
  stream.reset({ keepBuffered: true })
  assert.equal(kinds(stream, text(open), text(' '), text(close)), 'open close')
})

test('RFC 7395 §3.4: <open/> comes first, and once a stream', () => {
  assert.throws(() => kinds(input(), text(iq)), { condition: 'invalid-namespace' })
  assert.throws(() => kinds(input(), text(open), text(open)), { condition: 'policy-violation' })
  const restarted = input()
  kinds(restarted, text(open))
  restarted.reset({ keepBuffered: true })
  assert.throws(() => kinds(restarted, text(iq)), { condition: 'invalid-namespace' })
})

test('RFC 6455 §5.5.2: a ping is answered with what it said, and is no part of the stream', () => {
  const answers: Buffer[] = []
  const stream = input(preAuthLimits, answers)
  assert.equal(kinds(stream, text(open), text('there?', 9), text('', 10)), 'open')
  assert.deepEqual(answers, [Buffer.from('\x8a\x06there?', 'latin1')])
})

test('RFC 6455 §5.5.1: a closing frame is the last that is read', () => {
  const stream = input()
  assert.equal(kinds(stream, text(open), text('', 8), text(iq)), 'open')
  assert.equal(stream.isOver, true)
})

test('V14: before authentication frames without a message count as well', () => {
  const limits = { ...preAuthLimits, totalBytes: 200 }
  const flood = Array.from({ length: 20 }, () => text('0123456789', 10))
  assert.throws(() => kinds(input(limits), text(open), ...flood), { condition: 'policy-violation' })
  const later = input(limits)
  later.setLimits(clientLimits)
  assert.equal(kinds(later, text(open), ...flood), 'open')
})

test('RFC 7395 §3.3.3: what we send stands alone', () => {
  const header = { from: 'a.example', to: undefined, id: "i'd" }
  assert.equal(
    framing.open(header),
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' id='i&apos;d' from='a.example' version='1.0' xml:lang='en'/>",
  )
  const features = xml('features', { xmlns: 'http://etherx.jabber.org/streams' }, [
    xml('bind', { xmlns: 'urn:ietf:params:xml:ns:xmpp-bind' }),
  ])
  assert.equal(
    framing.element(features),
    "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>",
  )
  assert.equal(framing.element(xml('iq', { id: '1' })), "<iq xmlns='jabber:client' id='1'/>")
  const stanza = Stanza.parse(Buffer.from("<iq xmlns='jabber:client' id='1'><q xmlns='x'/></iq>"))
  assert.equal(
    Buffer.from(framing.stanza(stanza)).toString(),
    "<iq xmlns='jabber:client' id='1'><q xmlns='x'/></iq>",
  )
})

test('RFC 7395 §3.6.1: <close/> may say where to go', () => {
  assert.equal(framing.close(), close)
  assert.equal(
    framing.close({ seeOtherUri: 'wss://b.example/?a&b' }),
    "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://b.example/?a&amp;b'/>",
  )
})

test('the closing frame says whether the rules of WebSocket were broken', () => {
  assert.deepEqual([...(framing.end(new StreamError('reset')) ?? [])], [0x88, 2, 0x03, 0xe8])
  const stream = input()
  stream.feed(Buffer.from([0x82, 0x80]))
  assert.throws(
    () => stream.next(),
    (error) => {
      assert.deepEqual([...(framing.end(error) ?? [])], [0x88, 2, 0x03, 0xeb])
      return true
    },
  )
})
