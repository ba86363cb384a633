import type { Jid } from '@tactus/jid'
import { clone, Stanza, type XmlElement, xml } from '@tactus/xml'
import { NS_STANZA_ERRORS } from './namespaces.ts'

/** What the sender can do about an error (RFC 6120 §8.3.2). */
export type StanzaErrorType = 'auth' | 'cancel' | 'continue' | 'modify' | 'wait'

/** A defined condition of RFC 6120 §8.3.3. */
export type StanzaCondition =
  | 'bad-request'
  | 'conflict'
  | 'feature-not-implemented'
  | 'forbidden'
  | 'gone'
  | 'internal-server-error'
  | 'item-not-found'
  | 'jid-malformed'
  | 'not-acceptable'
  | 'not-allowed'
  | 'not-authorized'
  | 'policy-violation'
  | 'recipient-unavailable'
  | 'redirect'
  | 'registration-required'
  | 'remote-server-not-found'
  | 'remote-server-timeout'
  | 'resource-constraint'
  | 'service-unavailable'
  | 'subscription-required'
  | 'undefined-condition'
  | 'unexpected-request'

// Those that RFC 6120 §8.3.3 recommends; where it leaves a choice, the one that says more.
const defaultTypes: Readonly<Record<StanzaCondition, StanzaErrorType>> = {
  'bad-request': 'modify',
  conflict: 'cancel',
  'feature-not-implemented': 'cancel',
  forbidden: 'auth',
  gone: 'cancel',
  'internal-server-error': 'cancel',
  'item-not-found': 'cancel',
  'jid-malformed': 'modify',
  'not-acceptable': 'modify',
  'not-allowed': 'cancel',
  'not-authorized': 'auth',
  'policy-violation': 'modify',
  'recipient-unavailable': 'wait',
  redirect: 'modify',
  'registration-required': 'auth',
  'remote-server-not-found': 'cancel',
  'remote-server-timeout': 'wait',
  'resource-constraint': 'wait',
  'service-unavailable': 'cancel',
  'subscription-required': 'auth',
  'undefined-condition': 'cancel',
  'unexpected-request': 'wait',
}

/** What an error may say beyond its condition. */
export interface StanzaErrorOptions extends ErrorOptions {
  /** When the recommended type of the condition does not fit. */
  readonly type?: StanzaErrorType
  /** The condition in an extension's own words (RFC 6120 §8.3.4). */
  readonly application?: XmlElement
  /** What an extension says besides that (XEP-0395 §4). */
  readonly detail?: XmlElement
  /** Where `gone` and `redirect` point to, an XMPP URI (RFC 6120 §8.3.3.5). */
  readonly uri?: string
  /** Who detected the error, when it is not who the stanza was for (RFC 6120 §8.3.1). */
  readonly by?: Jid
  /**
   * What is sent back of the request's payload (RFC 6120 §8.3.1), bare of all that was in it: where clients know by it,
   * and not by the id, what the error is about.
   */
  readonly echo?: XmlElement
}

/** A refusal that the sender of a stanza is entitled to see. */
export class StanzaError extends Error {
  override readonly name = 'StanzaError'
  readonly condition: StanzaCondition
  readonly type: StanzaErrorType
  readonly text: string | undefined
  readonly application: XmlElement | undefined
  readonly detail: XmlElement | undefined
  readonly uri: string | undefined
  readonly by: Jid | undefined
  readonly echo: XmlElement | undefined

  constructor(condition: StanzaCondition, text?: string, options: StanzaErrorOptions = {}) {
    super(text ?? condition, options)
    this.condition = condition
    this.type = options.type ?? defaultTypes[condition]
    this.text = text
    this.application = options.application
    this.detail = options.detail
    this.uri = options.uri
    this.by = options.by
    this.echo = options.echo
  }

  /** The same refusal, sent back with this. */
  withEcho(echo: XmlElement): StanzaError {
    const { condition, text, type, application, detail, uri, by } = this
    return new StanzaError(condition, text, {
      cause: this,
      type,
      echo,
      ...(application && { application }),
      ...(detail && { detail }),
      ...(uri !== undefined && { uri }),
      ...(by !== undefined && { by }),
    })
  }

  /** The `<error/>` child, without a namespace of its own: it takes that of the stanza. */
  toElement(): XmlElement {
    return xml(
      'error',
      { type: this.type, by: this.by },
      xml(this.condition, { xmlns: NS_STANZA_ERRORS }, this.uri),
      this.text !== undefined &&
        xml('text', { xmlns: NS_STANZA_ERRORS, 'xml:lang': 'en' }, this.text),
      this.application && clone(this.application),
      this.detail && clone(this.detail),
    )
  }
}

/**
 * The error stanza that answers `stanza`, or undefined where RFC 6120 §8.3.1 forbids an answer: to
 * an error, and to the result of a request. So two entities cannot bounce errors for ever.
 *
 * The payload is not sent back, but for what `echo` says. The sender knows it, and whoever forged the sender's address
 * gets no traffic multiplied through us.
 */
export function errorReply(stanza: Stanza, error: StanzaError): Stanza | undefined {
  const isResult = stanza.name === 'iq' && stanza.type === 'result'
  if (stanza.type === 'error' || isResult) return undefined
  const { name, ns: xmlns, id, to: from, from: to } = stanza
  const echo = error.echo && clone(error.echo)
  return Stanza.from(xml(name, { xmlns, type: 'error', id, from, to }, echo, error.toElement()))
}

/**
 * What an error stanza says; undefined when the stanza carries no `<error/>`.
 *
 * Lenient, as other servers' mistakes must not become ours: an unknown condition is
 * `undefined-condition` (RFC 6120 §8.3.3), an unknown type the condition's own.
 */
export function readStanzaError(stanza: Stanza): StanzaError | undefined {
  const element = stanza.type === 'error' ? stanza.child('error', stanza.ns) : undefined
  if (!element) return undefined
  const parts = element.getChildElements()
  const defined = parts.find((part) => part.getNS() === NS_STANZA_ERRORS && isCondition(part.name))
  const condition = defined && isCondition(defined.name) ? defined.name : 'undefined-condition'
  const text = element.getChild('text', NS_STANZA_ERRORS)?.text()
  const uri = defined?.text()
  const application = parts.find((part) => part.getNS() !== NS_STANZA_ERRORS)
  const { type } = element.attrs
  return new StanzaError(condition, text, {
    ...(isErrorType(type) && { type }),
    ...(application && { application }),
    ...(uri && { uri }),
  })
}

function isCondition(name: string): name is StanzaCondition {
  return Object.hasOwn(defaultTypes, name)
}

function isErrorType(type: unknown): type is StanzaErrorType {
  return ['auth', 'cancel', 'continue', 'modify', 'wait'].some((known) => known === type)
}
