import { type BareJid, tryParseJid } from '@tactus/jid'
import { type Stanza, xml } from '@tactus/xml'
import { NS_STANZA_IDS } from './namespaces.ts'
import { childrenOf, withoutChildren } from './strip.ts'

/** An id that an entity, `by`, vouches for (XEP-0359 §2.1). */
export interface StanzaId {
  readonly id: string
  readonly by: BareJid
}

const stanzaId = { name: 'stanza-id', ns: NS_STANZA_IDS } as const

/**
 * Removes all ids that claim to be assigned by `by` (XEP-0359 §5, rule 3), however they spell the
 * address. To be done to every message that enters the responsibility of `by`.
 */
export function stripStanzaIds(stanza: Stanza, by: BareJid): Stanza {
  return withoutChildren(stanza, stanzaId, ({ attrs }) => tryParseJid(attrs.by ?? '') === by)
}

/** Assigns an id, as the only one by that entity (XEP-0359 §5, rule 5). */
export function stampStanzaId(stanza: Stanza, { id, by }: StanzaId): Stanza {
  return stripStanzaIds(stanza, by).append(xml('stanza-id', { xmlns: NS_STANZA_IDS, id, by }))
}

/** The id that `by` assigned; undefined when it assigned none. */
export function stanzaIdBy(stanza: Stanza, by: BareJid): string | undefined {
  const element = childrenOf(stanza, stanzaId.name, stanzaId.ns).find(
    ({ attrs }) => attrs.by === by,
  )
  return element?.attrs.id
}

/** The id that the sending device gave (XEP-0359 §2.2). Anybody may claim any: only a hint. */
export function originId(stanza: Stanza): string | undefined {
  return stanza.child('origin-id', NS_STANZA_IDS)?.attrs.id
}
