import type { Stanza } from './stanza.ts'

/** The start tag that opens a stream, or the `<open/>` of a WebSocket stream. */
export interface StreamHeader {
  readonly name: string
  readonly ns: string
  /** Unprefixed attributes and those of `xml:`; no prototype. */
  readonly attrs: Readonly<Record<string, string>>
  /** The content namespace (RFC 6120 §4.8.2): what a child without `xmlns` is in; '' over WebSocket. */
  readonly defaultNs: string
  readonly lang: string | undefined
  readonly version: string | undefined
  /** Prefixes declared besides the default, such as `stream` and, between servers, `db`. */
  readonly prefixes: ReadonlyMap<string, string>
}

/** What a stream consists of. `stanza` is any first-level child, `<auth/>` and `<r/>` too. */
export type StreamEvent =
  | { readonly kind: 'open'; readonly header: StreamHeader }
  | { readonly kind: 'stanza'; readonly stanza: Stanza }
  | { readonly kind: 'close' }
