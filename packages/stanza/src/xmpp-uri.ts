import { type Jid, tryParseJid } from '@tactus/jid'

/** The address in an `xmpp:` URI (RFC 5122 §2.2); undefined where there is none. */
export function jidOfUri(uri: string): Jid | undefined {
  const path = /^xmpp:([^?#]+)/i.exec(uri)?.[1]
  const address = path === undefined ? undefined : decoded(path)
  return address === undefined ? undefined : tryParseJid(address)
}

/** The pubsub node that an `xmpp:` URI identifies, whatever else it says (XEP-0060 §12.21); undefined where there is none. */
export function nodeOfUri(uri: string): { readonly jid: Jid; readonly node: string } | undefined {
  const jid = jidOfUri(uri)
  const [, text = ''] = /[?;]node=([^;#]*)/.exec(uri) ?? []
  const node = decoded(text)
  return jid === undefined || !node ? undefined : { jid, node }
}

/** RFC 5122 §2.2: what is in a URI is percent-encoded; undefined for what cannot have been. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
