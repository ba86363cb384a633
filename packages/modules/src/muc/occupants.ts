import { type LiveStore, liveStore, type Occupant, type OccupantResource } from '@tactus/core'
import { type BareJid, bare, type FullJid } from '@tactus/jid'
import { Stanza } from '@tactus/xml'

type Stored = readonly [
  account: string,
  role: Occupant['role'],
  since: number,
  ...resources: readonly (readonly [jid: string, presence: Uint8Array, followsLists?: boolean])[],
]

/**
 * Who is in a room, by nickname. Live state: the death of a router is no event for them, another reads it.
 *
 * It takes the loss of the bus to empty a room, and then all sessions have ended, too.
 */
export const occupantStore: LiveStore<Occupant> = {
  kind: 'live',
  name: 'muc-occupant',
  encode: ({ nick, account, role, since, resources }) => [
    nick,
    [
      account,
      role,
      since,
      ...resources.map(({ jid, presence, followsLists }) =>
        followsLists ? ([jid, presence.bytes, true] as const) : ([jid, presence.bytes] as const),
      ),
    ] satisfies Stored,
  ],
  decode(stored) {
    const [nick, [account, role, since, ...resources]] = stored as [string, Stored]
    return {
      nick,
      account: account as BareJid,
      role,
      since,
      resources: resources.map(([jid, presence, followsLists = false]) => ({
        jid: jid as FullJid,
        presence: Stanza.parse(presence),
        followsLists,
      })),
    }
  },
}

/** Nicknames by the full JID of a resource, so that nobody needs to look through all occupants for one. */
export const nickStore: LiveStore<string> = liveStore('muc-nick')

/** An occupant with another resource, or the same with other presence; what was heard of last comes last. */
export function withResource(occupant: Occupant, resource: OccupantResource): Occupant {
  const others = occupant.resources.filter(({ jid }) => jid !== resource.jid)
  return { ...occupant, resources: [...others, resource] }
}

/** An occupant without one of its resources; undefined when it was the last. */
export function withoutResource(occupant: Occupant, jid: string): Occupant | undefined {
  const resources = occupant.resources.filter((resource) => resource.jid !== jid)
  return resources.length === 0 ? undefined : { ...occupant, resources }
}

/** Somebody who comes in. */
export function newOccupant(
  nick: string,
  role: Occupant['role'],
  resource: OccupantResource,
  since: number,
): Occupant {
  return { nick, account: bare(resource.jid), role, since, resources: [resource] }
}
