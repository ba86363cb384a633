/**
 * What carries a stream's bytes: a TCP socket, a TLS one, one of HTTP, or the requests of a BOSH session.
 *
 * The methods are those of Node's sockets, so that these need no object in between.
 */
export interface Transport {
  /** Bytes written that the system has not taken yet. */
  readonly writableLength: number
  write(bytes: Uint8Array): unknown
  pause(): unknown
  resume(): unknown
  /** No more is written; the peer may still finish what it is sending. */
  end(): unknown
  destroy(): unknown
  /** Where requests and answers carry it, and tell what the client has; undefined for sockets. */
  readonly carrier?: Carrier | undefined
}

/**
 * What outlives the connections that carry it, and knows by itself what its client has got: a session on it is managed as
 * with XEP-0198, without any of its elements.
 */
export interface Carrier {
  /** Seconds for which the session waits to be taken up by another instance. */
  readonly resumeWithin: number
  /** The session is open, and counts from out-number `base` on. */
  opened(base: number): void
  /** The owner has committed inputs of the session. */
  committed(): void
  /** This instance leaves: the session is to go on at another, if it can; false where it has to end. */
  handOver(): boolean
}
