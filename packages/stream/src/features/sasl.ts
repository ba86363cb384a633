import { makeJid } from '@tactus/jid'
import { decodeBase64, encodeBase64, type Mechanism, SaslFailure } from '@tactus/sasl'
import { NS_SASL, StreamError } from '@tactus/stanza'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'
import type { Outcome, StreamFeature } from '../feature.ts'
import { unexpected } from '../negotiate.ts'
import type { StreamState } from '../state.ts'

/** XEP-0440. */
const NS_CHANNEL_BINDING = 'urn:xmpp:sasl-cb:0'

/** What SASL needs to know of the host and the connection. */
export interface SaslPort {
  /** Mechanisms for a stream in this state, strongest first; asked once a stream. */
  mechanisms(state: StreamState): readonly string[]
  /** Types of channel binding this connection has (XEP-0440). */
  readonly bindings: readonly string[]
  /** @throws {SaslFailure} */
  start(name: string, state: StreamState): Mechanism
  /** Failed attempts after which the stream is closed; RFC 6120 §6.4.5 wants 2 to 5. */
  readonly maxFailures: number
  /** Called with every outcome, for counting, banning and logs. `guessed`: a secret was tried. */
  decided(mechanism: string, condition: string, guessed: boolean): void
}

/**
 * SASL, which tells whose stream this is.
 *
 * A state table in effect: `<auth/>` only where mechanisms are offered and none is running,
 * `<response/>` and `<abort/>` only while one is running; anything else fails (V25).
 *
 * @see RFC 6120 §6
 */
export function sasl(port: SaslPort): StreamFeature {
  return {
    name: 'sasl',
    advertise(state) {
      if (state.offered.length === 0) return undefined
      return xml('mechanisms', { xmlns: NS_SASL }, offers(state))
    },
    claims: (element) => element.ns === NS_SASL,
    async negotiate(state, request) {
      if (state.authenticated) throw unexpected(request)
      try {
        return await step(port, state, request)
      } catch (error) {
        return failed(port, state, request, asFailure(error))
      }
    },
  }
}

/** The channel bindings of this connection, for the stream features. @see XEP-0440 §2 */
export function channelBindings(port: Pick<SaslPort, 'bindings'>): StreamFeature {
  return {
    name: 'sasl-channel-binding',
    advertise(state) {
      if (state.offered.length === 0 || port.bindings.length === 0) return undefined
      const types = port.bindings.map((type) => xml('channel-binding', { type }))
      return xml('sasl-channel-binding', { xmlns: NS_CHANNEL_BINDING }, types)
    },
    claims: () => false,
    negotiate: (_, request) => {
      throw unexpected(request)
    },
  }
}

/** The state of a newly opened stream: what it offers is fixed with its features (V24). */
export function withOffer(port: SaslPort, state: StreamState): StreamState {
  return { ...state, offered: state.authenticated ? [] : port.mechanisms(state) }
}

const offers = (state: StreamState): XmlElement[] =>
  state.offered.map((name) => xml('mechanism', null, name))

async function step(port: SaslPort, state: StreamState, request: Stanza): Promise<Outcome> {
  switch (request.name) {
    case 'auth':
      return await start(port, state, request)
    case 'response':
      if (!state.mechanism) throw new SaslFailure('malformed-request', 'Nothing was asked.')
      return await advance(port, state, state.mechanism, content(request) ?? new Uint8Array())
    case 'abort':
      throw new SaslFailure('aborted')
    default:
      throw unexpected(request)
  }
}

async function start(port: SaslPort, state: StreamState, request: Stanza): Promise<Outcome> {
  if (state.mechanism) throw new SaslFailure('malformed-request', 'Another exchange is running.')
  // §6.5.4: before TLS, where TLS is required, nothing is offered.
  if (state.offered.length === 0) throw new SaslFailure('encryption-required')
  const mechanism = port.start(request.attrs.mechanism ?? '', state)
  return await advance(port, state, mechanism, content(request))
}

async function advance(
  port: SaslPort,
  state: StreamState,
  mechanism: Mechanism,
  data: Uint8Array | undefined,
): Promise<Outcome> {
  const { success, challenge } = await mechanism.step(data)
  if (!success) {
    const send = [xml('challenge', { xmlns: NS_SASL }, encodeBase64(challenge))]
    return { state: { ...state, mechanism }, send }
  }
  port.decided(mechanism.name, 'success', false)
  // §6.4.6: an authenticated stream starts again; who was meant stays.
  const jid = makeJid(success.username, state.host ?? '')
  const next = {
    ...state,
    mechanism: undefined,
    offered: [],
    authenticated: { jid, mechanism: mechanism.name },
  }
  const text = success.data && (success.data.length === 0 ? '=' : encodeBase64(success.data))
  return {
    state: next,
    send: [xml('success', { xmlns: NS_SASL }, text)],
    effect: { kind: 'restart' },
  }
}

/** Text of `<auth/>` or `<response/>`; undefined for none, so that `=` can say "of no length". */
function content(request: Stanza): Uint8Array | undefined {
  if (request.children.length > 0) throw new SaslFailure('malformed-request')
  const text = request.element.text()
  return text === '' ? undefined : decodeBase64(text)
}

function asFailure(error: unknown): SaslFailure {
  if (error instanceof SaslFailure) return error
  if (error instanceof StreamError) throw error
  // A router or the bus did not answer; the client may come again with the same password.
  return new SaslFailure('temporary-auth-failure', undefined, { cause: error })
}

function failed(
  port: SaslPort,
  state: StreamState,
  request: Stanza,
  failure: SaslFailure,
): Outcome {
  const name = state.mechanism?.name ?? request.attrs.mechanism ?? ''
  port.decided(name, failure.condition, failure.guessed)
  const failures = state.failures + (failure.guessed ? 1 : 0)
  const attempts = state.attempts + 1
  const element = xml(
    'failure',
    { xmlns: NS_SASL },
    xml(failure.condition),
    failure.text !== undefined && xml('text', { 'xml:lang': 'en' }, failure.text),
  )
  // §6.4.5: who cannot authenticate must not be able to guess for ever.
  const outcome = { state: { ...state, mechanism: undefined, failures, attempts }, send: [element] }
  // COMPAT(slixmpp 1.8): it tries each -PLUS with a binding that TLS 1.3 does not have before it gives in.
  if (failures < port.maxFailures && attempts < port.maxFailures * 3) return outcome
  const error = new StreamError('policy-violation', 'Too many failed attempts.')
  return { ...outcome, effect: { kind: 'fail', error } }
}
