/**
 * What carries a stream's bytes: a TCP socket, a TLS one, later a WebSocket.
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
}
