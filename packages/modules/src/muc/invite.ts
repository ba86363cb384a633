import type { Jid } from '@tactus/jid'
import { NS_CLIENT } from '@tactus/stanza'
import { xml } from '@tactus/xml'
import type { RoomTurn } from './room.ts'
import { NS_MUC_USER } from './wire.ts'

/** Direct invitations (XEP-0249): mediated ones carry one, too, for clients that look for nothing else. */
const NS_CONFERENCE = 'jabber:x:conference'

/** An invitation as the room sends it on. */
export interface Invitation {
  readonly to: Jid
  /** Who invites, under an address that the invited one may know. */
  readonly by: Jid
  readonly reason?: string | undefined
  /** §7.9: the conversation goes on there; of this thread. */
  readonly continued?: { readonly thread: string | undefined } | undefined
}

/** Whether addresses are not for everybody. */
export function isHidden(room: RoomTurn): boolean {
  return room.setting('muc#roomconfig_whois') !== 'anyone'
}

/** Sends a mediated invitation (XEP-0045 §7.8.2), with the password where one is needed. */
export function invite(room: RoomTurn, { to, by, reason, continued }: Invitation): void {
  const isProtected = room.setting<boolean>('muc#roomconfig_passwordprotectedroom')
  const password = isProtected ? room.setting<string>('muc#roomconfig_roomsecret') : undefined
  room.tell(
    to,
    xml(
      'message',
      { xmlns: NS_CLIENT, id: room.scope.makeId() },
      xml(
        'x',
        { xmlns: NS_MUC_USER },
        xml(
          'invite',
          { from: by },
          reason !== undefined && xml('reason', null, reason),
          continued && xml('continue', { thread: continued.thread }),
        ),
        password !== undefined && xml('password', null, password),
      ),
      xml('x', { xmlns: NS_CONFERENCE, jid: room.jid, reason, password }),
    ),
  )
}
