import type { ResponseHeader } from '@tactus/stream'
import type { Stanza, StreamHeader } from '@tactus/xml'

/** How a stream ended, as the session's owner has to know it (design §3.7). */
export type Ending =
  /** The peer closed it in good order: nothing is to be resumed. */
  | 'closed'
  /** The transport broke or we are leaving: may be resumed where stream management allows. */
  | 'dropped'
  /** It was ended with a stream error. */
  | 'error'

/**
 * What a connection is for at the moment: negotiation first, then a session.
 *
 * A promise makes the connection wait with the next event until it settles. What is thrown ends the
 * stream: a `StreamError` with its condition, anything else as an internal error.
 */
export interface StreamHandler {
  opened(header: StreamHeader): Promise<void> | undefined
  element(element: Stanza): Promise<void> | undefined
  /** The peer has closed its side in good order: the last thing that may be said. */
  closing(): void
  /** The stream is over; nothing can be written any more. Called once. */
  ended(ending: Ending): void
  /** The time that `Connection.deadline` was set to is reached. */
  expired(now: number): void
  /** Our header, where an error has to be said before the peer's was understood. */
  header(): ResponseHeader
  /** The peer does not read: much is waiting in the socket's buffer. */
  stalled(): void
  /** What was written fits into the socket's buffer again. */
  drained(): void
}
