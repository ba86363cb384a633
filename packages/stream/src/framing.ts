import type { ReaderLimits, Stanza, StreamEvent, XmlElement } from '@tactus/xml'
import type { ResponseHeader } from './header.ts'

/** What a stream's bytes are read with: fed as they arrive, asked for one event after another. */
export interface StreamInput {
  /** Bytes that have arrived and were not looked at. */
  readonly buffered: number
  /** Whether something has begun and not ended. */
  readonly midItem: boolean
  /** The peer has said on the transport's own terms that nothing follows; false where it has no such terms. */
  readonly isOver: boolean
  feed(chunk: Uint8Array): void
  /**
   * @throws {XmlError} the input is dead from then on
   * @throws {StreamError} likewise
   */
  next(): StreamEvent | undefined
  setLimits(limits: ReaderLimits): void
  /** A new stream begins on the same transport. */
  reset(options: { readonly keepBuffered: boolean }): void
}

/** How a stream is taken leave of. */
export interface Farewell {
  /** Where the peer should go instead (RFC 7395 §3.6.1); a TCP stream has a stream error for that. */
  readonly seeOtherUri?: string | undefined
}

/**
 * How a stream is put on its transport: TCP streams are one long document, WebSocket streams a
 * sequence of small ones (RFC 7395), and BOSH carries several in one body (XEP-0206).
 */
export interface Framing {
  readonly name: 'tcp' | 'websocket' | 'bosh'
  /** Whether {@link keepAlive} makes the peer say something, whatever it has negotiated. */
  readonly isAnswered: boolean
  /** What keeps a quiet transport open; no part of the stream. */
  readonly keepAlive: Uint8Array
  /** `answer` takes bytes that the transport itself, not the stream, owes the peer. */
  input(limits: ReaderLimits, answer: (bytes: Uint8Array) => void): StreamInput
  /** Our header, which answers the peer's. */
  open(header: ResponseHeader): string
  /** `<stream:features/>`, `<stream:error/>` or any other first-level element that we built. */
  element(element: XmlElement): string
  /** A stanza, as bytes that go out unchanged. */
  stanza(stanza: Stanza): Uint8Array
  close(farewell?: Farewell): string
  /** What one of the above is on the wire. */
  message(payload: Uint8Array): Uint8Array
  /** What follows the last message, where the transport wants to be closed itself; `cause` is why. */
  end(cause?: unknown): Uint8Array | undefined
}
