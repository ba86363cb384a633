import type { NodeConfig, Nodes, Scope } from '@tactus/core'
import type { Jid } from '@tactus/jid'
import { clone, equals, type XmlElement, xml } from '@tactus/xml'
import { photoFor, publishPhoto } from './avatar.ts'
import { toVcard4, toVcardTemp } from './vcard4.ts'
import { NS_VCARD } from './wire.ts'

/** XEP-0292 §4. */
export const NODE_VCARD4 = 'urn:xmpp:vcard4'

/**
 * The card as somebody may see it: what is stored, and what the account says of itself in newer places.
 *
 * SECURITY: of a node there is only what this reader may have of it.
 */
export function composeVcard(
  scope: Scope,
  nodes: Nodes,
  { stored, reader }: { readonly stored: XmlElement | undefined; readonly reader: Jid },
): XmlElement | undefined {
  const card = withVcard4(scope, nodes, { stored, reader })
  const photo = photoFor(scope, nodes, reader)
  if (photo === undefined) return card
  const others = withoutPhoto(card)
  return photo === 'none' ? others : xml('vCard', { xmlns: NS_VCARD }, childrenOf(others), photo)
}

/** A vCard4 counts where it says something else than the stored card: then it is the newer. */
function withVcard4(
  scope: Scope,
  nodes: Nodes,
  { stored, reader }: { readonly stored: XmlElement | undefined; readonly reader: Jid },
): XmlElement | undefined {
  if (!nodes.mayRead(scope, NODE_VCARD4, reader)) return stored
  const vcard4 = nodes.item(scope, NODE_VCARD4)?.payload
  if (!vcard4 || (stored && equals(toVcard4(stored, vcard4), vcard4))) return stored
  return toVcardTemp(vcard4, stored)
}

/**
 * Takes a new card into the newer places, which are made for the same readers. Answers what is left to be stored.
 *
 * Everything is read before anything is published, as nothing can be read afterwards in the same turn.
 */
export function spreadVcard(
  scope: Scope,
  nodes: Nodes,
  { card, config }: { readonly card: XmlElement; readonly config: NodeConfig },
): XmlElement {
  const before = nodes.item(scope, NODE_VCARD4)?.payload
  const vcard4 = toVcard4(card, before)
  const photo = card.getChild('PHOTO', NS_VCARD)
  const isThere = publishPhoto(scope, nodes, { photo, config })
  const saysSomething = vcard4.getChildElements().length > 0 || before !== undefined
  if (saysSomething && !(before && equals(before, vcard4)))
    nodes.publish(scope, NODE_VCARD4, { id: 'current', payload: vcard4 }, config)
  return isThere ? (withoutPhoto(card) ?? card) : card
}

function withoutPhoto(card: XmlElement | undefined): XmlElement | undefined {
  return card && xml('vCard', { xmlns: NS_VCARD }, childrenOf(card))
}

function childrenOf(card: XmlElement | undefined): readonly XmlElement[] {
  return (
    card
      ?.getChildElements()
      .filter(({ name }) => name !== 'PHOTO')
      .map(clone) ?? []
  )
}
