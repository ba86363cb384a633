import type { Moderated, Room, Scope, Speaking } from '@tactus/core'
import { bare, resourcepart } from '@tactus/jid'
import { messageBody } from '@tactus/stanza'
import {
  type ArchivedMessage,
  archivedKey,
  archiveRow,
  archiveStore,
  archiveTable,
  wordsOf,
} from '@tactus/storage'
import { type ChildSpan, Stanza, type XmlElement, xml } from '@tactus/xml'
import { entomb, isTombstone, NS_RETRACTION } from './retraction.ts'
import { isArchivable, roomArchiveRules } from './rules.ts'

const NS_MUC_USER = 'http://jabber.org/protocol/muc#user'
const NS_OCCUPANT_ID = 'urn:xmpp:occupant-id:0'
/** XEP-0045 §16.6.2: everybody may see addresses. */
const openRoom = '100'

/** A line for the archive. */
export interface Line extends Speaking {
  readonly owner: string
  readonly searchable: boolean
}

/**
 * Archives a line in the step that sends it to all, where the rules want it. True when it was.
 *
 * What is archived is what all were told, with an element of the room that says who it was (§6.1.2); nobody else can have
 * put one there (V42). Who may not see addresses gets it without (`readable`).
 */
export function keepLine(line: Line): boolean {
  const { room, occupant, from, message, owner, id } = line
  const { scope } = room
  if (!isArchivable(message, roomArchiveRules)) return false
  if (scope.turn.replayed && scope.get(archiveStore, archivedKey(owner, id))) return false
  retractOwn(line)
  const item = xml('item', {
    affiliation: room.affiliationOf(occupant.account),
    role: occupant.role,
    jid: from,
  })
  const status = room.showsAddresses && xml('status', { code: openRoom })
  const body = line.searchable ? messageBody(message) : undefined
  insert(scope, {
    ...newEntry(room, owner, id),
    peer: peerOf(from, room.showsAddresses),
    resource: resourcepart(from),
    origin: message.id,
    words: body === undefined ? undefined : wordsOf(body),
    stanza: message.append(xml('x', { xmlns: NS_MUC_USER }, item, status)).bytes,
  })
  return true
}

function newEntry(room: Room, owner: string, id: string): ArchivedMessage {
  return {
    owner,
    id,
    at: room.scope.now,
    incoming: true,
    peer: room.jid,
    resource: undefined,
    origin: undefined,
    words: undefined,
    stanza: new Uint8Array(),
  }
}

function insert(scope: Scope, message: ArchivedMessage): void {
  scope.turn.insert(archiveStore, archiveTable, archiveRow(message))
}

/**
 * As what an archive knows the sender of a line: an account that all could see, or one that only moderators could. So
 * what was said behind a nickname is found by no address, also when the room shows them later. A space is in no JID.
 */
export function peerOf(jid: Parameters<typeof bare>[0], isShown: boolean): string {
  return isShown ? bare(jid) : `hidden ${bare(jid)}`
}

/** XEP-0424 §5: only what the same account said; by its stanza-id, as in rooms the sender's own id names nothing (§3). */
function retractOwn({ room, from, message, owner }: Line): void {
  const id = message.child('retract', NS_RETRACTION)?.attrs.id
  const original = id && room.scope.get(archiveStore, archivedKey(owner, id))
  if (!original || isTombstone(original)) return
  if (![true, false].some((isShown) => original.peer === peerOf(from, isShown))) return
  bury(room, original, { id: message.id })
}

/** XEP-0425 §4: a tombstone for what was said, and the retraction itself (XEP-0424 §4). */
export function keepModeration(what: Moderated, owner: string): void {
  const { room, id, account, message, messageId } = what
  const { scope } = room
  if (scope.turn.replayed && scope.get(archiveStore, archivedKey(owner, messageId))) return
  const original = scope.get(archiveStore, archivedKey(owner, id))
  if (original && !isTombstone(original)) bury(room, original, { account })
  insert(scope, { ...newEntry(room, owner, messageId), origin: message.id, stanza: message.bytes })
}

/** Who said it stays known to those who could know it (XEP-0425 §4): the occupant-id, and the room's own element. */
function bury(
  room: Room,
  original: ArchivedMessage,
  retraction: { readonly id?: string | undefined; readonly account?: readonly XmlElement[] },
): void {
  const isKept = ({ ns }: ChildSpan): boolean => ns === NS_OCCUPANT_ID || ns === NS_MUC_USER
  const tomb = entomb(room.scope, original, { ...retraction, isKept })
  room.scope.set(archiveStore, archivedKey(original.owner, original.id), tomb)
}

/** Whose addresses a reader may see: of all, of those who were shown to all at the time, or nobody's. */
export type Sight = 'all' | 'shown' | 'nobody'

/** A message as somebody of that sight gets it (XEP-0313 §6.1.2). */
export function readable(stored: Uint8Array, sight: Sight): Stanza {
  const stanza = Stanza.parse(stored)
  const user = stanza.child('x', NS_MUC_USER)
  if (!user) return stanza
  const anonymous = stanza.without(({ ns }) => ns === NS_MUC_USER)
  const wasShown = user.getChildren('status').some(({ attrs }) => attrs.code === openRoom)
  const [item] = user.getChildren('item')
  if (!item || sight === 'nobody' || (sight === 'shown' && !wasShown)) return anonymous
  return anonymous.append(xml('x', { xmlns: NS_MUC_USER }, xml('item', { ...item.attrs })))
}
