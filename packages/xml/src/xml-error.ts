import type { StreamEvent } from './stream-event.ts'

/** The stream error conditions that reading XML can lead to (RFC 6120 §4.9.3). */
export type XmlErrorCondition =
  | 'bad-format'
  | 'bad-namespace-prefix'
  | 'invalid-namespace'
  | 'invalid-xml'
  | 'not-well-formed'
  | 'policy-violation'
  | 'restricted-xml'
  | 'unsupported-encoding'

/**
 * What a peer sent is not XML that XMPP allows, or is more than a limit allows.
 *
 * `condition` is the stream error to close the stream with. A reader that threw one is dead.
 */
export class XmlError extends Error {
  override readonly name = 'XmlError'
  readonly condition: XmlErrorCondition
  /** What `StreamReader.push` had completed before the fault, so that it is not lost. */
  events: readonly StreamEvent[] = []

  constructor(condition: XmlErrorCondition, message: string) {
    super(message)
    this.condition = condition
  }
}

/** The most frequent fault, with a constant text: what the peer sent is not for the logs. */
export function malformed(message: string): never {
  throw new XmlError('not-well-formed', message)
}

/** Comments, processing instructions, document types, entities: RFC 6120 §11.1 forbids them. */
export function restricted(what: string): never {
  throw new XmlError('restricted-xml', `${what} is not allowed`)
}

/** A limit of the reader was passed. */
export function exceeded(limit: string): never {
  throw new XmlError('policy-violation', `more ${limit} than allowed`)
}
