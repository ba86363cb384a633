import { type BareJid, JidError, makeJid } from '@tactus/jid'
import type { Credentials, RandomBytes } from './credentials.ts'

/** Ties an authentication to the TLS connection it runs on (RFC 5929, RFC 9266). */
export interface ChannelBinding {
  readonly type: 'tls-exporter' | 'tls-server-end-point'
  readonly data: Uint8Array
}

/** What a mechanism knows of the stream it runs on, and whom it may ask. */
export interface SaslContext {
  /** The domain that the stream is addressed to, prepared. */
  readonly host: string
  /** The mechanisms in the features of this very stream; no other can be used (V24). */
  readonly offered: readonly string[]
  /** Those of this connection; empty without TLS. */
  readonly bindings: readonly ChannelBinding[]
  /** Shared by all instances; see `decoyCredentials`. */
  readonly decoySecret: Uint8Array
  /** Iterations of a decoy, when the host's accounts do not have the default. */
  readonly decoyIterations?: number
  readonly random: RandomBytes
  /**
   * When given, SCRAM signs what was advertised (XEP-0474). `bindings` are the types in the
   * XEP-0440 feature, absent when there was none; the client compares, so both must be exact.
   */
  readonly downgradeProtection?: { readonly bindings?: readonly string[] }

  /** What is stored for an account, asked with a prepared localpart. */
  lookup(username: string): Promise<Credentials | undefined>
  /** EXTERNAL: whom the certificate of this connection proves, given who the peer says it is. */
  external?(authzid: string | undefined): Promise<BareJid | undefined>
  /** ANONYMOUS: the localpart of a new temporary account. */
  anonymous?(): string
}

/** An authenticated, authorized account. */
export interface SaslSuccess {
  /** The localpart, prepared. */
  readonly username: string
  /** Additional data with success, such as a server's signature (RFC 6120 §6.3.10). */
  readonly data?: Uint8Array
}

/** What a server answers to one message of the client. */
export type SaslStep =
  | { readonly challenge: Uint8Array; readonly success?: undefined }
  | { readonly success: SaslSuccess; readonly challenge?: undefined }

/**
 * One run of one mechanism. Messages go in one after another; a run that succeeded or failed
 * cannot be used again.
 */
export interface Mechanism {
  readonly name: string
  /**
   * @param data undefined when `<auth/>` carried no initial response.
   * @throws {SaslFailure}
   */
  step(data: Uint8Array | undefined): Promise<SaslStep>
}

/** The challenge that asks for the response which `<auth/>` did not carry (RFC 6120 §6.4.2). */
export const emptyChallenge: SaslStep = { challenge: new Uint8Array() }

/**
 * The account that a name from the wire stands for; undefined when it is no localpart.
 *
 * Callers go on with a decoy then: a name that cannot exist is a name that does not.
 */
export function accountOf(name: string, host: string): BareJid | undefined {
  try {
    return makeJid(name, host)
  } catch (error) {
    if (error instanceof JidError) return undefined
    throw error
  }
}
