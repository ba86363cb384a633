import type { Scope } from '@tactus/core'
import { formatDateTime, stampStanzaId, stanzaIdBy } from '@tactus/stanza'
import { type ArchivedMessage, archiveStore, originKey } from '@tactus/storage'
import { type ChildSpan, Stanza, type XmlElement, xml } from '@tactus/xml'

/** XEP-0424 §8.1. */
export const NS_RETRACTION = 'urn:xmpp:message-retract:1'
/** XEP-0424 §4: what was retracted is replaced in the archive. */
export const NS_TOMBSTONES = 'urn:xmpp:message-retract:1#tombstone'

/**
 * Puts a tombstone in the place of what a message retracts (XEP-0424 §4); the retraction itself is archived like any.
 *
 * §5: only what came from the same bare JID: the original is looked for on the same side of the same conversation.
 */
export function retract(scope: Scope, message: Stanza, retraction: ArchivedMessage): void {
  const id = message.child('retract', NS_RETRACTION)?.attrs.id
  if (id === undefined) return
  const key = originKey(retraction, id)
  const original = scope.get(archiveStore, key)
  if (original && !isTombstone(original))
    scope.set(archiveStore, key, entomb(scope, original, { id: message.id }))
}

/** Whether it was taken back before. */
export function isTombstone({ stanza }: ArchivedMessage): boolean {
  return Stanza.parse(stanza).hasChild('retracted', NS_RETRACTION)
}

/** How a message was taken back. */
export interface Retraction {
  /** The id of the retraction, where its sender did it. */
  readonly id?: string | undefined
  /** What a tombstone tells more (XEP-0425 §4). */
  readonly account?: readonly XmlElement[]
  /** What stays of the message; by default nothing. */
  isKept?(child: ChildSpan): boolean
}

/** A message as it is found when it was taken back: nothing of what it said. */
export function entomb(
  scope: Scope,
  original: ArchivedMessage,
  { id, account = [], isKept = () => false }: Retraction,
): ArchivedMessage {
  const stanza = Stanza.parse(original.stanza)
  const stamp = formatDateTime(scope.now)
  const empty = stanza
    .without((child) => !isKept(child))
    .append(xml('retracted', { xmlns: NS_RETRACTION, id, stamp }, account))
  const known = stanzaIdBy(stanza, scope.entity)
  const marked = known === undefined ? empty : stampStanzaId(empty, { id: known, by: scope.entity })
  return { ...original, words: undefined, stanza: marked.bytes }
}
