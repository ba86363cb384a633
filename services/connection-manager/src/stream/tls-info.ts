import type { ChannelBinding } from '@tactus/sasl'

/** What authentication and logs need to know of a TLS connection. */
export interface TlsInfo {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string
  readonly bindings: readonly ChannelBinding[]
}
