/** What a reader accepts of one stanza, or of one stream header, before it gives up. */
export interface ReaderLimits {
  /** Bytes from the first `<` to the last `>`. RFC 6120 §13.12 forbids less than 10000 after authentication. */
  readonly bytes: number
  /** Nested elements; a stanza itself is depth 1. */
  readonly depth: number
  /** Elements of one stanza, itself included. */
  readonly elements: number
  /** Attributes of one element, namespace declarations included. */
  readonly attributes: number
  /** Prefixes declared at once, those of the stream header included. */
  readonly namespaces: number
  /** Bytes of one element, attribute or entity name, prefix included. */
  readonly nameBytes: number
  /** Bytes of one attribute value as it was sent. */
  readonly attributeBytes: number
  /** Bytes of the whole stream, white space included, until the limits are raised. */
  readonly totalBytes?: number
}

const shape = { depth: 64, attributes: 64, namespaces: 32, nameBytes: 256, attributeBytes: 16_384 }

/** For a peer of whom nothing is known: small enough that a flood of them costs little. */
export const preAuthLimits: ReaderLimits = {
  ...shape,
  bytes: 16_384,
  elements: 64,
  totalBytes: 65_536,
}

/** For an authenticated client. */
export const clientLimits: ReaderLimits = { ...shape, bytes: 262_144, elements: 2_000 }

/** For an authenticated server or component. */
export const serverLimits: ReaderLimits = { ...shape, bytes: 524_288, elements: 10_000 }

/**
 * For what we wrote ourselves: storage, the bus, configuration, imports.
 *
 * Wider than what any peer may send, because we wrap what they send (forwarding, carbons, archive).
 */
export const documentLimits: ReaderLimits = {
  bytes: 67_108_864,
  depth: 1_024,
  elements: 1_000_000,
  attributes: 1_024,
  namespaces: 1_024,
  nameBytes: 1_024,
  attributeBytes: 1_048_576,
}
