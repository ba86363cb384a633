import assert from 'node:assert/strict'
import { test } from 'node:test'
import { preAuthLimits, type StreamHeader, StreamReader } from '@tactus/xml'
import { acceptHeader, afterTls, type HostStatus, initialState, tcpFraming } from '../src/index.ts'

const hosts: Readonly<Record<string, HostStatus>> = {
  'montague.example': 'served',
  'verona.example': 'served',
  'old.example': 'gone',
}
const rules = {
  contentNs: 'jabber:client',
  status: (domain: string): HostStatus => hosts[domain] ?? 'unknown',
}

function header(attributes: string): StreamHeader {
  const reader = new StreamReader({ limits: preAuthLimits })
  const [event] = reader.push(
    Buffer.from(
      `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' ${attributes}>`,
    ),
  )
  assert(event?.kind === 'open')
  return event.header
}

const good = "to='montague.example' version='1.0'"

test('RFC 6120 §4.7: the header fixes whom the stream is for, prepared', () => {
  const state = acceptHeader(initialState, header("to='MONTAGUE.example' version='1.0'"), rules)
  assert.equal(state.host, 'montague.example')
  assert.equal(state.claimed, undefined)
})

test('RFC 6120 §4.7.1: who the client says it is proves nothing, but is echoed', () => {
  const attributes = `${good} from='romeo@montague.example/x'`
  assert.equal(
    acceptHeader(initialState, header(attributes), rules).claimed,
    'romeo@montague.example',
  )
})

const versions: readonly [string, boolean][] = [
  ["version='1.0'", true],
  ["version='1.1'", true],
  ["version='2.0'", true],
  ["version='01.0'", true],
  ["version='0.9'", false],
  ["version='1'", false],
  ["version='one'", false],
  ["version=''", false],
  ['', false],
]

for (const [version, isAccepted] of versions) {
  test(`RFC 6120 §4.7.5: ${version || 'no version'} is ${isAccepted ? '' : 'not '}accepted`, () => {
    const read = () => acceptHeader(initialState, header(`to='montague.example' ${version}`), rules)
    if (isAccepted) assert.doesNotThrow(read)
    else assert.throws(read, { condition: 'unsupported-version' })
  })
}

test('RFC 6120 §4.9.3.5–6: hosts that are gone, unknown, or cannot be told', () => {
  const to = (domain: string) => header(`to='${domain}' version='1.0'`)
  const read = (domain: string) => () => acceptHeader(initialState, to(domain), rules)
  assert.throws(read('old.example'), { condition: 'host-gone' })
  assert.throws(read('capulet.example'), { condition: 'host-unknown' })
  const unable = { ...rules, status: (): HostStatus => 'unavailable' }
  assert.throws(() => acceptHeader(initialState, to('montague.example'), unable), {
    condition: 'remote-connection-failed',
  })
})

test('V22: neither a restart nor TLS can change whom the stream is for', () => {
  const first = acceptHeader(initialState, header(good), rules)
  const other = header("to='verona.example' version='1.0'")
  for (const state of [first, afterTls(first)])
    assert.throws(() => acceptHeader(state, other, rules), { condition: 'improper-addressing' })
})

test('V20: TLS forgets everything but the addressee and the failures', () => {
  const before = {
    ...acceptHeader(initialState, header(`${good} from='romeo@montague.example'`), rules),
    offered: ['PLAIN'],
    failures: 2,
  }
  const expected = { ...initialState, host: 'montague.example', failures: 2, secure: true }
  assert.deepEqual(afterTls(before), expected)
})

test('RFC 6120 §4.7: our header says version, language, id, and escapes what it echoes', () => {
  const text = tcpFraming().open({ from: 'montague.example', to: "o'hara@x", id: 'abc' })
  assert.match(text, /^<\?xml version='1\.0'\?><stream:stream /)
  for (const part of ["id='abc'", "version='1.0'", "xml:lang='en'", "to='o&apos;hara@x'"])
    assert.ok(text.includes(part), part)
})
