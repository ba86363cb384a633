import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBase64, type Mechanism, SaslFailure, type SaslStep } from '@tactus/sasl'
import { Stanza } from '@tactus/xml'
import {
  initialState,
  negotiate,
  type Outcome,
  type SaslPort,
  type StreamState,
  sasl,
  withOffer,
} from '../src/index.ts'

const NS = 'urn:ietf:params:xml:ns:xmpp-sasl'

/** A mechanism that asks twice: `first` is answered with a challenge, `last` with success. */
class TwoSteps implements Mechanism {
  readonly name = 'TWO'
  readonly heard: (string | undefined)[]

  constructor(heard: (string | undefined)[]) {
    this.heard = heard
  }

  step(data: Uint8Array | undefined): Promise<SaslStep> {
    const text = data && Buffer.from(data).toString()
    this.heard.push(text)
    if (text === 'last') return Promise.resolve({ success: { username: 'romeo' } })
    if (text === 'signed')
      return Promise.resolve({ success: { username: 'romeo', data: Buffer.from('v=1') } })
    if (text === 'wrong') return Promise.reject(new SaslFailure('not-authorized'))
    if (text === 'broken') return Promise.reject(new Error('the bus is away'))
    return Promise.resolve({ challenge: Buffer.from('go on') })
  }
}

interface Bench {
  readonly heard: (string | undefined)[]
  readonly decided: string[]
  readonly state: StreamState
  step(text: string, state?: StreamState): Promise<Outcome>
}

function bench(offered: readonly string[] = ['TWO']): Bench {
  const heard: (string | undefined)[] = []
  const decided: string[] = []
  const port: SaslPort = {
    mechanisms: () => offered,
    bindings: [],
    maxFailures: 3,
    start(name, state) {
      if (!state.offered.includes(name)) throw new SaslFailure('invalid-mechanism')
      return new TwoSteps(heard)
    },
    decided: (mechanism, condition) => decided.push(`${mechanism} ${condition}`),
  }
  const state = withOffer(port, { ...initialState, host: 'montague.example' })
  const feature = sasl(port)
  return {
    heard,
    decided,
    state,
    step: (text, from = state) => negotiate([feature], from, Stanza.parse(text)),
  }
}

const auth = (text: string, mechanism = 'TWO'): string =>
  `<auth xmlns='${NS}' mechanism='${mechanism}'>${text}</auth>`
const response = (text: string): string => `<response xmlns='${NS}'>${text}</response>`
const encoded = (text: string): string => encodeBase64(Buffer.from(text))
const sent = ({ send }: Outcome): string => send.map(String).join('')

test('RFC 6120 §6.4.2: an initial response, none, and one of no length are three things', async () => {
  const { step, heard } = bench()
  await step(auth(encoded('first')))
  await step(auth(''))
  await step(auth('='))
  assert.deepEqual(heard, ['first', undefined, ''])
})

test('RFC 6120 §6.4.3–6: challenge, response, success with data, and a new stream', async () => {
  const { step, heard } = bench()
  const asked = await step(auth(encoded('first')))
  assert.match(sent(asked), new RegExp(`<challenge [^>]*>${encoded('go on')}</challenge>`))
  const done = await step(response(encoded('signed')), asked.state)
  assert.match(sent(done), new RegExp(`<success [^>]*>${encoded('v=1')}</success>`))
  assert.deepEqual(done.effect, { kind: 'restart' })
  assert.equal(done.state.authenticated?.jid, 'romeo@montague.example')
  assert.deepEqual(done.state.offered, [])
  assert.deepEqual(heard, ['first', 'signed'])
})

test('RFC 6120 §6.4.6: success without data is empty', async () => {
  const { step } = bench()
  assert.match(sent(await step(auth(encoded('last')))), /<success xmlns=["'][^>]*\/>/)
})

/** Where one is, what comes, what must come of it. */
const table: readonly [where: 'idle' | 'asked', element: string, outcome: string][] = [
  ['idle', response(encoded('last')), 'malformed-request'],
  ['idle', response(''), 'malformed-request'],
  ['idle', `<abort xmlns='${NS}'/>`, 'aborted'],
  ['idle', auth(encoded('x'), 'PLAIN'), 'invalid-mechanism'],
  ['idle', `<auth xmlns='${NS}'>${encoded('x')}</auth>`, 'invalid-mechanism'],
  ['idle', auth('not base64!'), 'incorrect-encoding'],
  ['idle', auth(`${encoded('last')}\n`), 'incorrect-encoding'],
  ['idle', auth('===='), 'incorrect-encoding'],
  ['idle', auth('<x/>'), 'malformed-request'],
  ['idle', auth(encoded('wrong')), 'not-authorized'],
  ['idle', auth(encoded('broken')), 'temporary-auth-failure'],
  ['asked', auth(encoded('last')), 'malformed-request'],
  ['asked', `<abort xmlns='${NS}'/>`, 'aborted'],
  ['asked', response(encoded('wrong')), 'not-authorized'],
  ['asked', response('%'), 'incorrect-encoding'],
]

for (const [where, element, condition] of table) {
  test(`RFC 6120 §6.5: ${where}, ${element.slice(0, 60)} fails with ${condition} (V25)`, async () => {
    const { step, state } = bench()
    const before = where === 'idle' ? state : (await step(auth(encoded('first')))).state
    const outcome = await step(element, before)
    assert.match(sent(outcome), new RegExp(`<failure xmlns=["']${NS}["']><${condition}/>`))
    assert.equal(outcome.state.mechanism, undefined, 'nothing of the exchange goes on')
    assert.equal(outcome.state.authenticated, undefined)
    assert.equal(outcome.state.failures, 1)
  })
}

test('RFC 6120 §6.4.5: the third failure ends the stream', async () => {
  const { step, state, decided } = bench()
  let at = state
  for (const isLast of [false, false, true]) {
    const outcome = await step(auth(encoded('wrong')), at)
    assert.equal(outcome.effect?.kind, isLast ? 'fail' : undefined)
    at = outcome.state
  }
  assert.deepEqual(decided, Array(3).fill('TWO not-authorized'))
})

test('RFC 6120 §6.5.4: where nothing is offered, encryption is required first', async () => {
  const { step, heard } = bench([])
  assert.match(sent(await step(auth(encoded('last')))), /<encryption-required\/>/)
  assert.deepEqual(heard, [])
})

test('an authenticated stream has nothing to do with SASL any more (V25)', async () => {
  const { step } = bench()
  const { state } = await step(auth(encoded('last')))
  for (const element of [auth(encoded('last')), response(''), `<abort xmlns='${NS}'/>`])
    await assert.rejects(step(element, state), { condition: 'policy-violation' })
})

test('an element of the namespace that is none of SASL ends the stream', async () => {
  const { step } = bench()
  await assert.rejects(step(`<success xmlns='${NS}'/>`), { condition: 'policy-violation' })
})
