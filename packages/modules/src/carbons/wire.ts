import type { BareJid } from '@tactus/jid'
import { NS_CLIENT, NS_FORWARD } from '@tactus/stanza'
import { clone, Stanza, type XmlElement, xml } from '@tactus/xml'

/** XEP-0280 §4. */
export const NS_CARBONS = 'urn:xmpp:carbons:2'
/** XEP-0280 §6.2: every rule of §6.1 is kept. */
export const NS_CARBONS_RULES = 'urn:xmpp:carbons:rules:0'

/** From which side of a conversation a copy is. */
export type Direction = 'received' | 'sent'

// Older clients look for older versions of the namespace, too.
const family = 'urn:xmpp:carbons:'

/** The copy of a message as the account's other resources get it (§7, §8); `to` is filled in for each. */
export function carbonCopy(message: Stanza, direction: Direction, account: BareJid): Stanza {
  const original = clone(message.inNamespace(NS_CLIENT).element)
  const forwarded = xml('forwarded', { xmlns: NS_FORWARD }, original)
  const wrapper = xml(direction, { xmlns: NS_CARBONS }, forwarded)
  const attrs = { xmlns: NS_CLIENT, from: account, type: message.type }
  return Stanza.from(xml('message', attrs, wrapper))
}

/**
 * Removes every wrapper that pretends to be a copy made by the server.
 *
 * SECURITY: clients were made to show messages that nobody sent (CVE-2017-5589 and its kind). At whatever depth, as some
 * of them search the whole message; in whatever version of the namespace.
 */
export function stripCarbons(message: Stanza): Stanza {
  // Bytes are canonical: a namespace of letters and colons can be written in one way only.
  if (!Buffer.from(message.bytes).includes(family)) return message
  const tree = clone(message.element)
  return prune(tree) ? Stanza.from(tree) : message
}

/** Without recursion: how deep it is, is for the sender to say. */
function prune(root: XmlElement): boolean {
  const open = [root]
  let found = false
  for (let element = open.pop(); element; element = open.pop()) {
    const kept = element.children.filter((child) => typeof child === 'string' || !isWrapper(child))
    if (kept.length < element.children.length) found = true
    element.children = kept
    for (const child of kept) if (typeof child !== 'string') open.push(child)
  }
  return found
}

function isWrapper(element: XmlElement): boolean {
  const name = element.getName()
  return (name === 'received' || name === 'sent') && element.getNS()?.startsWith(family) === true
}
