/** The part of an address that was refused; `jid` when the whole text has no valid shape. */
export type JidPart = 'jid' | 'localpart' | 'domainpart' | 'resourcepart' | 'string'

/**
 * Text that is no address (RFC 7622 §3), to a peer `jid-malformed`.
 *
 * The message names the part and the offence but never quotes the text: it came from the
 * network, may be long, and ends up in logs.
 */
export class JidError extends Error {
  override readonly name = 'JidError'
  readonly part: JidPart

  constructor(part: JidPart, problem: string) {
    super(`${part} ${problem}`)
    this.part = part
  }
}
