import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseBareJid, parseFullJid } from '@tactus/jid'
import { Stanza } from '@tactus/xml'
import {
  bindResult,
  featuresElement,
  initialState,
  legacySession,
  negotiate,
  type Outcome,
  registration,
  resourceBinding,
  type StreamFeature,
  type StreamState,
  starttls,
  streamLimits,
  tcpFraming,
} from '../src/index.ts'

const open = { ...initialState, host: 'montague.example' }
const secure = { ...open, secure: true }
const authenticated = {
  ...secure,
  authenticated: { jid: parseBareJid('romeo@montague.example'), mechanism: 'PLAIN' },
}

const features: readonly StreamFeature[] = [
  starttls({ available: true, required: true }),
  registration({ open: ({ secure: isSecure }) => isSecure }),
  resourceBinding(),
  legacySession(),
  streamLimits(() => ({ maxBytes: 10_000, idleSeconds: 300 })),
]

const names = (state: StreamState): string[] =>
  featuresElement(features, state)
    .getChildElements()
    .map(({ name }) => name)

const step = (state: StreamState, text: string): Promise<Outcome> =>
  negotiate(features, state, Stanza.parse(text, 'jabber:client'))

const sent = ({ send }: Outcome): string => send.map(String).join('')

test('XEP-0170 §3.1: TLS, then registration, then binding; each only in its time', () => {
  assert.deepEqual(names(open), ['starttls', 'limits'])
  assert.deepEqual(names(secure), ['register', 'limits'])
  assert.deepEqual(names(authenticated), ['bind', 'session', 'limits'])
  assert.deepEqual(names({ ...authenticated, binding: true }), ['limits'])
})

test('RFC 6120 §4.8.5: features are written with the prefix that old clients look for', () => {
  const text = tcpFraming().element(featuresElement(features, open))
  assert.match(text, /^<stream:features><starttls xmlns=.*<\/stream:features>$/)
})

test('XEP-0478 §3.1: limits are numbers of bytes and seconds', () => {
  const text = tcpFraming().element(featuresElement(features, open))
  assert.match(text, /<max-bytes>10000<\/max-bytes><idle-seconds>300<\/idle-seconds>/)
})

test('RFC 6120 §5.4.2.3: <proceed/>, then TLS', async () => {
  const outcome = await step(open, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
  assert.match(sent(outcome), /<proceed xmlns=["']urn:ietf:params:xml:ns:xmpp-tls["']\/>/)
  assert.deepEqual(outcome.effect, { kind: 'tls' })
})

test('RFC 6120 §5.4.2.2: a failure where there is no TLS, and the stream ends', async () => {
  const none = [starttls({ available: false, required: false })]
  const request = Stanza.parse("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
  const outcome = await negotiate(none, open, request)
  assert.match(sent(outcome), /<failure/)
  assert.deepEqual(outcome.effect, { kind: 'close' })
})

test('RFC 6120 §5: TLS within TLS is not negotiated', async () => {
  const request = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
  await assert.rejects(step(secure, request), { condition: 'policy-violation' })
})

const bind = (content: string, type = 'set'): string =>
  `<iq type='${type}' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>${content}</bind></iq>`

test('RFC 6120 §7.6–7.7: a resource of the client, prepared, or none', async () => {
  for (const [content, expected] of [
    ['<resource>bal\u212Bcony</resource>', 'balÅcony'],
    ['<resource/>', undefined],
    ['', undefined],
  ] as const) {
    const { effect, send } = await step(authenticated, bind(content))
    assert(effect?.kind === 'bind')
    assert.equal(effect.resource, expected)
    assert.deepEqual(send, [])
  }
})

test('RFC 6120 §7.7.2.1: a resource that cannot be is a bad request, and one may try again', async () => {
  const outcome = await step(authenticated, bind('<resource>a\u200Eb</resource>'))
  assert.match(sent(outcome), /type=["']error["'].*<bad-request/)
  assert.equal(outcome.state.binding, false)
  assert.match(sent(await step(authenticated, bind('', 'get'))), /<bad-request/)
})

test('RFC 6120 §7.6.2: the answer tells the full JID', () => {
  const request = Stanza.parse(bind(''), 'jabber:client')
  const result = bindResult(request, parseFullJid('romeo@montague.example/x'))
  assert.equal(result.type, 'result')
  assert.match(String(result), /<jid>romeo@montague\.example\/x<\/jid>/)
})

for (const stanza of ['<message/>', '<presence/>', "<iq type='get' id='1'/>", bind('')]) {
  test(`RFC 6120 §4.9.3.12: ${stanza.slice(0, 30)} before authentication`, async () => {
    await assert.rejects(step(secure, stanza), { condition: 'not-authorized' })
  })
}

test('RFC 6120 §4.9.3.24: what nobody knows', async () => {
  await assert.rejects(step(secure, "<x xmlns='y'/>"), { condition: 'unsupported-stanza-type' })
})

const register = (content: string, type = 'set'): string =>
  `<iq type='${type}' id='r'><query xmlns='jabber:iq:register'>${content}</query></iq>`

test('XEP-0077 §3.1: the fields, then an account', async () => {
  assert.match(sent(await step(secure, register('', 'get'))), /<username\/><password\/>/)
  const content = '<username>Juliet</username><password>o romeo</password>'
  const { effect } = await step(secure, register(content))
  assert(effect?.kind === 'register')
  assert.equal(effect.username, 'juliet')
  assert.equal(effect.password, 'o romeo')
})

const refusals: readonly [string, string][] = [
  ['<username>juliet</username>', 'not-acceptable'],
  ['<password>x</password>', 'not-acceptable'],
  ['<username>a@b</username><password>x</password>', 'jid-malformed'],
  [`<username>juliet</username><password>${'x'.repeat(1_024)}</password>`, 'not-acceptable'],
  ['<remove/>', 'unexpected-request'],
]

for (const [content, condition] of refusals) {
  test(`XEP-0077 §3.1: ${content.slice(0, 50)} is ${condition}`, async () => {
    assert.match(sent(await step(secure, register(content))), new RegExp(`<${condition} `))
  })
}

test('XEP-0077 §3.1: where the host is closed nobody registers; who has an account neither', async () => {
  const content = '<username>juliet</username><password>x</password>'
  assert.match(sent(await step(open, register(content))), /<service-unavailable/)
  await assert.rejects(step(authenticated, register(content)), { condition: 'not-authorized' })
})
