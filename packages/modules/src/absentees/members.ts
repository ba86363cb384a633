import type { Room, RoomFeature, Scope, Speaking } from '@tactus/core'
import { type BareJid, bare, domainpart, resourcepart } from '@tactus/jid'
import { booleanField, NS_HINTS, StanzaError } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import { absenceNotice, mentionNotice, mentionsIn, NS_MENTIONS } from './wire.ts'

/** As XEP-0452 §3.1 calls it. */
const mentionsField = 'muc#roomconfig_forwardmentions'
const linesField = 'tactus#deliver_to_members'
const persistentField = 'muc#roomconfig_persistentroom'
const NS_RETRACT = 'urn:xmpp:message-retract:1'
/** Encrypted, so that nobody here knows what it says: XEP-0384 in both versions, and XEP-0380 for whatever else. */
const encryptions = [
  ['encrypted', 'eu.siacs.conversations.axolotl'],
  ['encrypted', 'urn:xmpp:omemo:2'],
  ['encryption', 'urn:xmpp:eme:0'],
] as const

/** Tells members who are away: those who are mentioned, or all whose devices shall be woken. */
export function forMembers(most: (scope: Scope) => number): RoomFeature {
  return {
    name: 'absentees',
    fields: {
      [mentionsField]: {
        kind: booleanField,
        label: 'Forward messages with mentions to members who are away',
        initial: false,
      },
      [linesField]: {
        kind: booleanField,
        label: 'Wake the devices of members who are away for every message',
        desc: 'Those members who have registered a nickname',
        initial: false,
      },
    },
    mayConfigure(settings) {
      if (settings[linesField] && !settings[persistentField])
        throw new StanzaError(
          'not-acceptable',
          'Members who are away need a room that stays when nobody is in it.',
        )
    },
    disco: (room) => ({ features: room.setting(mentionsField) ? [NS_MENTIONS] : [] }),
    spoken(line) {
      const { room, message } = line
      const wanted = { mentions: room.setting(mentionsField), lines: room.setting(linesField) }
      if ((!wanted.mentions && !wanted.lines) || !saysSomething(message)) return
      const away = awayFrom(room)
      const mentioned = wanted.mentions ? mentionedIn(line, away) : []
      tell(room, mentioned, () => mentionNotice(message, room.jid, room.scope.now))
      if (!wanted.lines) return
      // Once: what was forwarded wakes the devices, too. Other servers know nothing of this.
      const others = [...away.keys()].filter(
        (account) => !mentioned.includes(account) && room.scope.serves(domainpart(account)),
      )
      tell(room, others.slice(0, most(room.scope)), () => absenceNotice(message, room.scope.now))
    },
  }
}

function saysSomething(message: Stanza): boolean {
  if (message.hasChild('no-store', NS_HINTS)) return false
  if (encryptions.some(([name, ns]) => message.hasChild(name, ns))) return true
  // What it says for those who do not know retractions says nothing new.
  return message.hasChild('body', message.ns) && !message.hasChild('retract', NS_RETRACT)
}

/** Members with a nickname of theirs, and none of whose devices is in the room, with that nickname. */
function awayFrom(room: Room): ReadonlyMap<BareJid, string> {
  const present = new Set<BareJid>()
  for (const { account } of room.occupants()) present.add(account)
  const away = new Map<BareJid, string>()
  for (const [account, nick] of room.registered())
    if (!present.has(account)) away.set(account, nick)
  return away
}

function mentionedIn(
  { room, message }: Speaking,
  away: ReadonlyMap<BareJid, string>,
): readonly BareJid[] {
  const accounts = new Set<BareJid>()
  for (const jid of mentionsIn(message)) {
    if (bare(jid) !== room.jid) {
      if (away.has(bare(jid))) accounts.add(bare(jid))
      continue
    }
    const nick = resourcepart(jid)
    for (const [account, reserved] of away) if (reserved === nick) accounts.add(account)
  }
  return [...accounts]
}

function tell(room: Room, accounts: readonly BareJid[], notice: () => Stanza): void {
  if (accounts.length === 0) return
  const stanza = notice().with({ from: room.jid, id: room.scope.makeId() })
  room.scope.multicast(accounts, stanza)
}
