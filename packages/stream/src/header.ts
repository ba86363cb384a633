import { type BareJid, bare, isBare, tryParseJid } from '@tactus/jid'
import { NS_STREAMS, StreamError } from '@tactus/stanza'
import { NS_FRAMING, type StreamHeader } from '@tactus/xml'
import type { StreamState } from './state.ts'

/** What is known of a domain when a stream is addressed to it. */
export type HostStatus =
  | 'served'
  /** Once served, no longer (RFC 6120 §4.9.3.5). */
  | 'gone'
  | 'unknown'
  /** Nobody can say at the moment. */
  | 'unavailable'

/** What a header is judged by. */
export interface HeaderRules {
  /** `jabber:client` or `jabber:server`. */
  readonly contentNs: string
  status(domain: string): HostStatus
}

/** Attributes of the header that answers the peer's; `undefined` ones are left out. */
export interface ResponseHeader {
  /** The domain; undefined when the peer asked for one that we may not speak for. */
  readonly from: string | undefined
  readonly to: string | undefined
  /** Undefined in the header that opens a stream: the answering side names it (RFC 6120 §4.7.3). */
  readonly id: string | undefined
}

/**
 * Judges the peer's stream header and fixes whom the stream is for (RFC 6120 §4.7).
 *
 * @throws {StreamError} to be sent after our own header (§4.9.1.2)
 */
export function acceptHeader(
  state: StreamState,
  header: StreamHeader,
  rules: HeaderRules,
): StreamState {
  checkShape(header, rules.contentNs)
  checkVersion(header.version)
  const host = addressee(header.attrs.to, rules)
  if (state.host !== undefined && state.host !== host)
    throw new StreamError('improper-addressing', 'A restart cannot change the addressee.')
  return { ...state, host, claimed: claimant(state, header.attrs.from) }
}

/** RFC 6120 §4.8: the names that a stream's root must have. Over WebSocket, where nothing is inside it, there is one. */
function checkShape(header: StreamHeader, contentNs: string): void {
  if (header.ns === NS_FRAMING) return
  if (header.ns !== NS_STREAMS) throw new StreamError('invalid-namespace')
  if (header.name !== 'stream') throw new StreamError('bad-format')
  // §4.8.5: clients of old read the prefix and not the namespace, so no other is used.
  if (header.prefixes.get('stream') !== NS_STREAMS) throw new StreamError('bad-namespace-prefix')
  if (header.defaultNs !== contentNs) throw new StreamError('invalid-namespace')
}

/** §4.7.5: without `version` the peer speaks a protocol older than RFC 3920, which has no SASL. */
function checkVersion(version: string | undefined): void {
  const major = version === undefined ? undefined : /^0*(\d{1,9})\.\d{1,9}$/.exec(version)?.[1]
  if (major === undefined || Number(major) < 1) throw new StreamError('unsupported-version')
}

function addressee(to: string | undefined, rules: HeaderRules): string {
  if (to === undefined || to === '') throw new StreamError('improper-addressing')
  const jid = tryParseJid(to)
  if (jid === undefined || !isBare(jid) || jid.includes('@'))
    throw new StreamError(jid === undefined ? 'host-unknown' : 'improper-addressing')
  const status = rules.status(jid)
  if (status === 'gone') throw new StreamError('host-gone')
  if (status === 'unknown') throw new StreamError('host-unknown')
  // §4.9.3.15: what is needed to authenticate anybody cannot be reached.
  if (status === 'unavailable') throw new StreamError('remote-connection-failed')
  return jid
}

/** §4.7.1: a client may say who it is; once it proved that, it may not say another. */
function claimant(state: StreamState, from: string | undefined): BareJid | undefined {
  if (from === undefined) return undefined
  const jid = tryParseJid(from)
  if (jid === undefined) throw new StreamError('invalid-from')
  const account = bare(jid)
  if (state.authenticated && state.authenticated.jid !== account)
    throw new StreamError('invalid-from')
  return account
}
