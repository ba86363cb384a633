import type { BareJid, FullJid, Jid } from '@tactus/jid'
import type { FieldDefinition, FormField } from '@tactus/stanza'
import type { Stanza, XmlElement } from '@tactus/xml'
import type { DiscoContribution } from './module.ts'
import type { Scope } from './scope.ts'

/*
 * What the rooms module and those who add to rooms know of each other (none of them imports the other). The rooms
 * module's own features are written against the same.
 */

/** A lasting relation of an account to a room (XEP-0045 §5.2), highest first. */
export const affiliations = ['owner', 'admin', 'member', 'none', 'outcast'] as const
/** See {@link affiliations}. */
export type Affiliation = (typeof affiliations)[number]
/** What an occupant may do during this visit (XEP-0045 §5.1), highest first. */
export const roles = ['moderator', 'participant', 'visitor', 'none'] as const
/** See {@link roles}. */
export type Role = (typeof roles)[number]

/** One resource of an account that is in a room. */
export interface OccupantResource {
  readonly jid: FullJid
  /** What it last said of itself, without what only the room says. */
  readonly presence: Stanza
  /** Its client keeps the lists of affiliations, and wants to know which version it has (XEP-0463). */
  readonly followsLists?: boolean
}

/** Somebody in a room under a nickname; with several resources, all of one account. */
export interface Occupant {
  readonly nick: string
  readonly account: BareJid
  readonly role: Exclude<Role, 'none'>
  /** The one that was heard of last comes last; its presence is what others see. */
  readonly resources: readonly OccupantResource[]
  /** Wall clock, ms. */
  readonly since: number
}

/** A field of the configuration form (XEP-0045 §16.5.3, or one's own); its value is plain data. */
export interface RoomField<T = unknown> extends FieldDefinition<T> {
  /** Its value in a room that nobody configured. */
  readonly initial: T
}

/** The values of all fields by their names on the wire. */
export type RoomSettings = Readonly<Record<string, unknown>>

/** A room within one turn. Like the scope, never keep it. */
export interface Room {
  readonly scope: Scope
  readonly jid: BareJid
  /** Wall clock, ms. */
  readonly created: number
  /** Random and known to nobody but the room. */
  readonly secret: string
  readonly settings: RoomSettings
  /**
   * The owner of its lines in the table of archives: the room, and which of all that had this name it is, so that nobody
   * finds what was said in another. A space is in no JID.
   */
  readonly archiveOwner: string
  /** Its owner has not configured it yet, and to others there is no such room (XEP-0045 §10.1). */
  readonly isLocked: boolean
  setting<T>(field: string): T
  affiliationOf(account: BareJid): Affiliation
  /** Accounts that have registered a nickname (XEP-0045 §7.10), in the room or not. */
  registered(): Iterable<readonly [account: BareJid, nick: string]>
  occupants(): Iterable<Occupant>
  occupant(nick: string): Occupant | undefined
  /** The occupant that this resource is, if it is in the room. */
  occupantOf(resource: Jid): Occupant | undefined
  /** Whether this address would be let in now (XEP-0045 §7.2), whatever its nickname and however full the room is. */
  mayEnter(jid: Jid): boolean
  /** Everybody in it may see real addresses (XEP-0045 §4.2: non-anonymous). */
  readonly showsAddresses: boolean
  /** Whether this address may see them also where they are not shown to all: as the occupant that it is, or would be. */
  maySeeHidden(jid: Jid): boolean
  /** What a feature keeps with the room: plain data, small, durable as long as the room is. */
  kept<T>(feature: string): T | undefined
  keep(feature: string, value: unknown): void
  /** To all resources in the room, encoded once; `from` is the room where the stanza names nobody. */
  broadcast(stanza: Stanza | XmlElement): void
  /** To one address, in the room's name where the stanza names nobody. */
  tell(to: Jid, stanza: Stanza | XmlElement): void
}

/** Somebody wants to come in (XEP-0045 §7.2). */
export interface Joining {
  readonly room: Room
  readonly from: FullJid
  readonly account: BareJid
  readonly nick: string
  readonly affiliation: Affiliation
  /** Its `<x xmlns='http://jabber.org/protocol/muc'/>`. */
  readonly request: XmlElement | undefined
}

/** Presence that all in the room would see: of somebody who comes in, changes its nickname, or says how it is. */
export interface Appearing {
  readonly room: Room
  readonly from: FullJid
  readonly account: BareJid
}

/** Somebody says something to all (XEP-0045 §7.4). */
export interface Speaking {
  readonly room: Room
  readonly occupant: Occupant
  /** The resource that said it. */
  readonly from: FullJid
  readonly message: Stanza
  /** Under which the room's stanza-id names it. */
  readonly id: string
}

/** A moderator took a message back (XEP-0425). */
export interface Moderated {
  readonly room: Room
  /** The stanza-id of what was said. */
  readonly id: string
  /** What says by whom and why, as it stands in `<retract/>` and, later, in a tombstone. */
  readonly account: readonly XmlElement[]
  /** What all were told, and under which stanza-id. */
  readonly message: Stanza
  readonly messageId: string
}

/** A message for the room itself, not for all in it. */
export interface RoomMessage {
  readonly room: Room
  readonly from: Jid
  /** Who in the room it is from; undefined for those outside. */
  readonly occupant: Occupant | undefined
  readonly message: Stanza
}

/** Part of what a room can do, in one place: fields, checks, what disco shows, what happens. All but the name is optional. */
export interface RoomFeature {
  readonly name: string
  readonly fields?: Readonly<Record<string, RoomField>>
  /** Refuses settings that do not go together, by throwing `not-acceptable`. */
  mayConfigure?(settings: RoomSettings, scope: Scope): void
  /** What disco#info of the room says beside its identity. */
  disco?(room: Room): DiscoContribution
  /** Fields of `muc#roominfo` (XEP-0045 §6.4). */
  info?(room: Room): readonly FormField[]
  /** Refuses somebody who wants in, by throwing StanzaError. */
  mayJoin?(joining: Joining): void
  /** Refuses presence before anything comes of it, by throwing StanzaError; who leaves is not asked. */
  mayAppear?(appearing: Appearing): void
  /** Refuses a line, by throwing StanzaError. */
  maySpeak?(line: Speaking): void
  /** Returns the line that goes on: to all, and into the history. */
  stamp?(line: Speaking): Stanza
  /** The line was sent to all. */
  spoken?(line: Speaking): void
  /** A line was taken back by a moderator, and all were told. */
  moderated?(what: Moderated): void
  /** What others see beside an occupant's presence. */
  inPresence?(room: Room, occupant: Occupant): readonly XmlElement[]
  /** Status codes in the first presence that somebody who joins gets of itself. */
  entryCodes?(room: Room, occupant: Occupant): readonly number[]
  /** Somebody has joined, with this resource, and seen everybody: history and subject are sent here, in this order. */
  joined?(joining: Joining, occupant: Occupant): void
  /** Takes a message for the room itself; true when it was this feature's. */
  message?(message: RoomMessage): boolean
  /** The settings changed; answers the status codes that occupants are told (XEP-0045 §10.2.1). */
  configured?(room: Room, before: RoomSettings): readonly number[]
  /** The settings are others, those of a room that was just made among them; occupants are told after this. */
  settled?(room: Room): void
  /** Somebody came in or went, under whatever nickname. */
  populated?(room: Room): void
  /** Somebody is not there any more under a nickname, with no resource. */
  departed?(room: Room, occupant: Occupant): void
  /** The room is going: what the feature keeps elsewhere goes, too. */
  destroyed?(room: Room): void
}

/** Where modules add to rooms. */
export interface RoomsPort {
  /** @throws {Error} at boot when a feature or a field of that name is there already */
  feature(feature: RoomFeature): void
  /** The room of the scope as the rooms module has it; undefined where there is none, or no such module. Ask in handlers. */
  room(scope: Scope): Room | undefined
  features(): readonly RoomFeature[]
  /** The rooms module says that it is there. */
  provide(room: (scope: Scope) => Room | undefined): void
}

/** Keeps what modules add to rooms. */
export class RoomsRegistry implements RoomsPort {
  readonly #features: RoomFeature[] = []
  #room: (scope: Scope) => Room | undefined = () => undefined

  feature(feature: RoomFeature): void {
    const fields = Object.keys(feature.fields ?? {})
    for (const known of this.#features) {
      if (known.name === feature.name)
        throw new Error(`two modules add the feature ${feature.name} to rooms`)
      const twice = fields.find((field) => known.fields && Object.hasOwn(known.fields, field))
      if (twice) throw new Error(`${known.name} and ${feature.name} both add the field ${twice}`)
    }
    this.#features.push(feature)
  }

  room(scope: Scope): Room | undefined {
    return this.#room(scope)
  }

  features(): readonly RoomFeature[] {
    return this.#features
  }

  provide(room: (scope: Scope) => Room | undefined): void {
    this.#room = room
  }
}
