import type { BareJid } from '@tactus/jid'
import type { Mechanism } from '@tactus/sasl'

/** Who a stream belongs to, once SASL said so. */
export interface Authenticated {
  readonly jid: BareJid
  readonly mechanism: string
}

/** What negotiation has established so far; replaced, never mutated. */
export interface StreamState {
  /**
   * The domain that the stream is addressed to; undefined until the first header.
   *
   * SECURITY: fixed then (V22). A peer that could change it with a restart would authenticate at one
   * host and act at another.
   */
  readonly host: string | undefined
  /** Who the peer says it is in its header, echoed as `to` of ours. Proves nothing. */
  readonly claimed: BareJid | undefined
  /** Whether the stream runs inside TLS. */
  readonly secure: boolean
  /** Mechanisms in the features of this stream; no other can be used (V24). */
  readonly offered: readonly string[]
  /** An exchange that waits for the peer's `<response/>`. */
  readonly mechanism: Mechanism | undefined
  /** Failed authentications since the connection was made; a restart does not clear them. */
  readonly failures: number
  /** Exchanges that failed for whatever reason, guesses included. */
  readonly attempts: number
  readonly authenticated: Authenticated | undefined
  /** Whether the peer has asked for a resource; the answer is on its way or given. */
  readonly binding: boolean
}

/** A connection of which nothing is known yet. */
export const initialState: StreamState = {
  host: undefined,
  claimed: undefined,
  secure: false,
  offered: [],
  mechanism: undefined,
  failures: 0,
  attempts: 0,
  authenticated: undefined,
  binding: false,
}

/**
 * The state inside TLS: all that was said in clear is forgotten but the domain and the failed
 * attempts, which count per connection.
 */
export function afterTls(state: StreamState): StreamState {
  return {
    ...initialState,
    host: state.host,
    failures: state.failures,
    attempts: state.attempts,
    secure: true,
  }
}
