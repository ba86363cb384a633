import type { Occupant, RoomFeature, RoomMessage } from '@tactus/core'
import { bare, type Jid, resourcepart, tryParseJid } from '@tactus/jid'
import { booleanField, NS_CLIENT, StanzaError } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import { changeAffiliation } from '../affiliations.ts'
import { isHidden, invite as sendInvitation } from '../invite.ts'
import type { RoomTurn } from '../room.ts'
import { NS_MUC_USER, textOf } from '../wire.ts'

/** Invitations in one message. */
const atOnce = 10

/** Mediated invitations and what becomes of them (XEP-0045 §7.8.2). */
export const invitations: RoomFeature = {
  name: 'invitations',
  fields: {
    'muc#roomconfig_allowinvites': {
      kind: booleanField,
      label: 'Members may invite others',
      initial: false,
    },
  },
  message(message) {
    const request = message.message.child('x', NS_MUC_USER)
    if (!request) return false
    const invites = request.getChildren('invite')
    const declines = request.getChildren('decline')
    if (invites.length + declines.length === 0) return false
    if (invites.length + declines.length > atOnce) throw new StanzaError('policy-violation')
    for (const invite of invites) inviteOne(message, invite)
    for (const decline of declines) declineOne(message, decline)
    return true
  },
}

function inviteOne({ room, occupant, from }: RoomMessage, invite: XmlElement): void {
  const turn = room as RoomTurn
  if (!occupant) throw new StanzaError('not-acceptable')
  if (!turn.may(turn.actor(occupant), 'invite')) throw new StanzaError('forbidden')
  const to = addressOf(invite)
  if (turn.affiliationOf(bare(to)) === 'outcast')
    throw new StanzaError('forbidden', 'That account is banned.')
  // Who is let in by invitation needs to be on the list.
  if (turn.setting('muc#roomconfig_membersonly') && turn.affiliationOf(bare(to)) === 'none')
    changeAffiliation(turn, { account: bare(to), affiliation: 'member' })
  const resumed = invite.getChildElements().find(({ name }) => name === 'continue')
  sendInvitation(turn, {
    to,
    // SECURITY: V44. Where addresses are hidden, the nickname says who it is from.
    by: isHidden(turn) ? turn.addressOf(occupant.nick) : bare(from),
    reason: textOf(invite, 'reason'),
    continued: resumed && { thread: resumed.attrs.thread },
  })
}

function declineOne({ room, from }: RoomMessage, decline: XmlElement): void {
  const to = addressOf(decline)
  const inviter = inviterAt(room as RoomTurn, to)
  // SECURITY: V44. No error, by which anybody could ask who is in.
  if (!inviter || room.affiliationOf(bare(from)) === 'outcast') return
  const reason = textOf(decline, 'reason')
  const declined = xml(
    'decline',
    { from: bare(from) },
    reason !== undefined && xml('reason', null, reason),
  )
  for (const { jid } of inviter.resources)
    room.tell(
      jid,
      xml(
        'message',
        { xmlns: NS_CLIENT, id: room.scope.makeId() },
        xml('x', { xmlns: NS_MUC_USER }, declined),
      ),
    )
}

/**
 * Whom a refusal is for, by the address that an invitation names.
 *
 * SECURITY: only who is in the room, else it would carry words from strangers to strangers.
 */
function inviterAt(room: RoomTurn, to: Jid): Occupant | undefined {
  if (bare(to) === room.jid) return room.occupant(resourcepart(to) ?? '')
  if (isHidden(room)) return undefined
  return [...room.occupants()].find(({ account }) => account === bare(to))
}

function addressOf({ attrs }: XmlElement): Jid {
  const to = tryParseJid(attrs.to ?? '')
  if (!to) throw new StanzaError('jid-malformed')
  return to
}
