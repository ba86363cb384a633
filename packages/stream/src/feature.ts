import type { StreamError } from '@tactus/stanza'
import type { Stanza, XmlElement } from '@tactus/xml'
import type { StreamState } from './state.ts'

/** What the connection has to do after it wrote what a step sends; data, so that steps stay pure. */
export type Effect =
  /** The peer opens a new stream on the same connection (RFC 6120 §4.3.3). */
  | { readonly kind: 'restart' }
  /** Both sides start TLS now. */
  | { readonly kind: 'tls' }
  /** The session's owner decides; go on with `bindResult` or an error. */
  | { readonly kind: 'bind'; readonly request: Stanza; readonly resource: string | undefined }
  /** The account's owner decides; go on with `registerResult` or an error. */
  | {
      readonly kind: 'register'
      readonly request: Stanza
      readonly username: string
      readonly password: string
    }
  /** The session's owner decides; go on with `resumedElement` or `failedElement`. */
  | { readonly kind: 'resume'; readonly session: string; readonly h: number }
  /** The stream ends in good order after what was sent. */
  | { readonly kind: 'close' }
  /** The stream ends with an error after what was sent. */
  | { readonly kind: 'fail'; readonly error: StreamError }

/** The result of one step: the next state, what to write before it holds, and what to do then. */
export interface Outcome {
  readonly state: StreamState
  readonly send: readonly (XmlElement | Stanza)[]
  readonly effect?: Effect
}

/** One thing that can be negotiated before a session exists (RFC 6120 §4.3.2). */
export interface StreamFeature {
  readonly name: string
  /** The element in `<stream:features/>`; undefined where it cannot be negotiated now. */
  advertise(state: StreamState): XmlElement | undefined
  /** Whether the element speaks to this feature, advertised or not. */
  claims(element: Stanza): boolean
  /**
   * @throws {StreamError} when the stream must end
   * @throws {StanzaError} when the request is to be answered with it
   */
  negotiate(state: StreamState, request: Stanza): Outcome | Promise<Outcome>
}
