import type { Stanza } from '@tactus/xml'

/** XEP-0115 §9. */
export const NS_CAPS = 'http://jabber.org/protocol/caps'

/** What a presence stanza says of its sender's capabilities (XEP-0115 §4). */
export interface Caps {
  /** The software, as a URI. */
  readonly node: string
  /** Hash over what disco#info of `node#ver` answers. */
  readonly ver: string
  /** Name of the hash function in IANA's words; undefined in the format before 1.4, which proves nothing. */
  readonly hash: string | undefined
}

const longest = 1_024

/** Reads `<c/>`; undefined where there is none that makes sense. */
export function readCaps(presence: Stanza): Caps | undefined {
  const element = presence.child('c', NS_CAPS)
  const { node, ver, hash } = element?.attrs ?? {}
  if (!node || !ver || node.length > longest || ver.length > longest) return undefined
  return { node, ver, hash }
}
