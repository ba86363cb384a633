import { type BareJid, isBare, tryParseJid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import type { XmlElement } from '@tactus/xml'

/** Bounds of an item. */
export interface ItemLimits {
  readonly groups: number
  /** Of a name, and of a group's name, in bytes of UTF-8. */
  readonly nameBytes: number
}

/** What a roster set asks for. */
export type ItemRequest =
  | { readonly jid: BareJid; readonly remove: true }
  | {
      readonly jid: BareJid
      readonly remove: false
      readonly name: string | undefined
      readonly groups: readonly string[]
    }

/**
 * The one item of a roster set (RFC 6121 §2.1.5). `ask`, `approved` and all values of `subscription` but `remove` are
 * the server's to set and ignored (§2.1.2).
 *
 * @throws {StanzaError} as §2.3.3 names them
 */
export function readItem(query: XmlElement, limits: ItemLimits): ItemRequest {
  const [item, ...others] = query.getChildElements()
  if (item?.name !== 'item' || others.length > 0) throw new StanzaError('bad-request')
  const jid = readContact(item.attrs.jid)
  if (item.attrs.subscription === 'remove') return { jid, remove: true }
  return { jid, remove: false, name: readName(item, limits), groups: readGroups(item, limits) }
}

/** The roster version that a client has; undefined when it has none, or one that is not ours (§2.6.2). */
export function readVersion(query: XmlElement): number | undefined {
  const { ver } = query.attrs
  return ver !== undefined && /^\d{1,15}$/.test(ver) ? Number(ver) : undefined
}

function readContact(text: string | undefined): BareJid {
  if (!text) throw new StanzaError('bad-request', 'An item needs a jid.')
  const jid = tryParseJid(text)
  if (!jid) throw new StanzaError('jid-malformed')
  // A resource comes and goes; what is subscribed to is the account behind it (§2.1.2.3, §3.1.1).
  if (!isBare(jid)) throw new StanzaError('bad-request', 'A roster item has no resource.')
  return jid
}

function readName(item: XmlElement, { nameBytes }: ItemLimits): string | undefined {
  const { name } = item.attrs
  if (name !== undefined && Buffer.byteLength(name) > nameBytes)
    throw new StanzaError('not-acceptable', `A name may have ${nameBytes} bytes.`)
  // §2.4: an empty name is none.
  return name || undefined
}

function readGroups(item: XmlElement, limits: ItemLimits): readonly string[] {
  const groups = item.getChildren('group').map((group) => group.text().trim())
  if (new Set(groups).size < groups.length) throw new StanzaError('bad-request')
  if (groups.length > limits.groups)
    throw new StanzaError('not-acceptable', `A contact may be in ${limits.groups} groups.`)
  for (const group of groups)
    if (group === '' || Buffer.byteLength(group) > limits.nameBytes)
      throw new StanzaError('not-acceptable', `A group's name has 1 to ${limits.nameBytes} bytes.`)
  return groups
}
