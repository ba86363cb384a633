import { hash } from 'node:crypto'
import type {
  Affiliation,
  Occupant,
  OccupantResource,
  Role,
  Room,
  RoomFeature,
  RoomSettings,
  Scope,
} from '@tactus/core'
import {
  type BareJid,
  bare,
  domainpart,
  type FullJid,
  type Jid,
  withResource as jidWithResource,
} from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { Stanza, type XmlElement } from '@tactus/xml'
import {
  type AffiliationLog,
  affiliationLogStore,
  type VersionStep,
  versionOf,
  withChange,
} from './affiliation-log.ts'
import type { MucConfig } from './config.ts'
import { visitStore } from './features/activity.ts'
import { nickStore, occupantStore } from './occupants.ts'
import { type Actor, initialRole, isAllowed, type Privilege } from './permissions.ts'
import {
  type Affiliated,
  affiliationStore,
  historyStore,
  type RoomRecord,
  roomStore,
} from './store.ts'
import { bareUnavailable } from './wire.ts'

/** What everything about rooms shares: the features and the settings of the service. */
export interface Rooms {
  features(): readonly RoomFeature[]
  /** The configuration of a room that nobody configured. */
  readonly initial: RoomSettings
  config(scope: Scope): MucConfig
  /** Administrators of the server are owners of every room. */
  isAdmin(account: BareJid): boolean
}

const wholeSettings = new WeakMap<RoomSettings, RoomSettings>()
const none: ReadonlyMap<string, Affiliated> = new Map()

/** A room in one turn: its record, affiliations and occupants in the words of XEP-0045. */
export class RoomTurn implements Room {
  readonly scope: Scope
  readonly rooms: Rooms
  readonly jid: BareJid

  private constructor(rooms: Rooms, scope: Scope) {
    this.rooms = rooms
    this.scope = scope
    this.jid = scope.entity
  }

  /** The room of the scope, or undefined where there is none. */
  static find(rooms: Rooms, scope: Scope): RoomTurn | undefined {
    if (!scope.get(roomStore)) return undefined
    const room = new RoomTurn(rooms, scope)
    // Nobody saw its last occupant go, because the bus was lost: it is no more.
    if (!room.isPersistent && room.isEmpty) {
      room.remove()
      return undefined
    }
    return room
  }

  /**
   * Makes the room of the scope. One that is not persistent goes with its last occupant: the first has to come in within
   * the same turn. One that is locked waits for its owner to configure it (XEP-0045 §10.1).
   */
  static make(
    rooms: Rooms,
    scope: Scope,
    {
      locked = false,
      persistent = rooms.initial['muc#roomconfig_persistentroom'] === true,
      creator,
    }: { locked?: boolean; persistent?: boolean; creator?: BareJid },
  ): RoomTurn {
    scope.set(roomStore, '', {
      service: domainpart(scope.entity),
      created: scope.now,
      creator,
      secret: Buffer.from(scope.random(16)).toString('base64url'),
      locked,
      listed: false,
      temporary: persistent ? undefined : scope.now,
      title: '',
      settings: rooms.initial,
      kept: {},
    })
    const room = new RoomTurn(rooms, scope)
    if (!persistent) room.#announceTemporary()
    const settings = { ...rooms.initial, 'muc#roomconfig_persistentroom': persistent }
    if (!locked) room.configure(settings)
    return room
  }

  get record(): RoomRecord {
    const record = this.scope.get(roomStore)
    if (!record) throw new Error('the room is gone')
    return record
  }

  get config(): MucConfig {
    return this.rooms.config(this.scope)
  }

  get created(): number {
    return this.record.created
  }

  get secret(): string {
    return this.record.secret
  }

  get archiveOwner(): string {
    const which = hash('sha256', `archive ${this.secret}`, 'base64url')
    return `${this.jid} ${which.slice(0, 16)}`
  }

  /** With fields that came by a later release, or another module, as they are initially. */
  get settings(): RoomSettings {
    const { settings } = this.record
    let whole = wholeSettings.get(settings)
    if (!whole) {
      whole = { ...this.rooms.initial, ...settings }
      wholeSettings.set(settings, whole)
    }
    return whole
  }

  /** It went within this turn. */
  get isGone(): boolean {
    return this.scope.get(roomStore) === undefined
  }

  get isLocked(): boolean {
    return this.record.locked
  }

  /** It is not configured yet, and so to others does not exist (XEP-0045 §7.2.11). */
  isNoneTo(jid: Jid): boolean {
    return this.record.locked && this.affiliationOf(bare(jid)) !== 'owner'
  }

  get isPersistent(): boolean {
    return this.setting('muc#roomconfig_persistentroom')
  }

  get isEmpty(): boolean {
    return this.scope.all(occupantStore).size === 0
  }

  setting<T>(field: string): T {
    return this.settings[field] as T
  }

  affiliations(): ReadonlyMap<string, Affiliated> {
    return this.scope.get(affiliationStore) ?? none
  }

  affiliationOf(account: BareJid): Affiliation {
    if (this.rooms.isAdmin(account)) return 'owner'
    return this.affiliations().get(account)?.affiliation ?? 'none'
  }

  *registered(): Iterable<readonly [BareJid, string]> {
    for (const [jid, { nick, affiliation }] of this.affiliations())
      if (nick !== undefined && affiliation !== 'outcast') yield [jid as BareJid, nick]
  }

  /** What became of the affiliations lately. */
  affiliationLog(): AffiliationLog {
    return this.scope.get(affiliationLogStore) ?? []
  }

  /** Answers how the lists went on, where it is more than a nickname or a reason that is another. */
  setAffiliated(account: BareJid, affiliated: Affiliated | undefined): VersionStep | undefined {
    const all = new Map(this.affiliations())
    const before: Affiliation = all.get(account)?.affiliation ?? 'none'
    if (affiliated) all.set(account, affiliated)
    else all.delete(account)
    this.scope.set(affiliationStore, '', all)
    if (before === (affiliated?.affiliation ?? 'none')) return undefined
    if (!affiliated && this.scope.get(visitStore, account))
      this.scope.set(visitStore, account, undefined)
    const log = this.affiliationLog()
    const change = { jid: account, before }
    this.scope.set(affiliationLogStore, '', withChange(log, change, this.config.affiliationChanges))
    return { since: versionOf(log), until: versionOf(log) + 1 }
  }

  occupants(): Iterable<Occupant> {
    return this.scope.all(occupantStore).values()
  }

  occupant(nick: string): Occupant | undefined {
    return this.scope.get(occupantStore, nick)
  }

  occupantOf(resource: Jid): Occupant | undefined {
    const nick = this.scope.get(nickStore, resource)
    return nick === undefined ? undefined : this.occupant(nick)
  }

  count(): number {
    return this.scope.all(occupantStore).size
  }

  actor(occupant: Occupant): Actor {
    return { affiliation: this.affiliationOf(occupant.account), role: occupant.role }
  }

  /** Somebody by its address, in the room or not. */
  actorOf(jid: Jid): Actor {
    const occupant = this.occupantOf(jid)
    return occupant
      ? this.actor(occupant)
      : { affiliation: this.affiliationOf(bare(jid)), role: 'none' }
  }

  may(actor: Actor, privilege: Privilege): boolean {
    return isAllowed(actor, privilege, this.settings)
  }

  mayEnter(jid: Jid): boolean {
    if (this.occupantOf(jid)) return true
    const account = bare(jid)
    const affiliation = this.affiliationOf(account)
    if (affiliation === 'outcast') return false
    if (this.isNoneTo(jid)) return false
    if (this.record.locked) return true
    // Whoever is in with another device was let in, with the password where there is one.
    for (const occupant of this.occupants()) if (occupant.account === account) return true
    const from = jid as FullJid
    const joining = { room: this, from, account, affiliation, nick: '', request: undefined }
    return this.rooms.features().every((feature) => isLetIn(() => feature.mayJoin?.(joining)))
  }

  get showsAddresses(): boolean {
    return this.setting('muc#roomconfig_whois') === 'anyone'
  }

  maySeeHidden(jid: Jid): boolean {
    const { affiliation, role } = this.actorOf(jid)
    const actor = {
      affiliation,
      role: role === 'none' ? initialRole(affiliation, this.settings) : role,
    }
    const hidden = { ...this.settings, 'muc#roomconfig_whois': 'moderators' }
    return isAllowed(actor, 'see-addresses', hidden)
  }

  addressOf(nick: string): FullJid {
    return jidWithResource(this.jid, nick)
  }

  putOccupant(occupant: Occupant): void {
    if (!this.occupant(occupant.nick)) this.#tellFeatures('populated')
    this.scope.set(occupantStore, occupant.nick, occupant)
    for (const { jid } of occupant.resources)
      if (this.scope.get(nickStore, jid) !== occupant.nick)
        this.scope.set(nickStore, jid, occupant.nick)
  }

  /** Takes one resource, or all of them, out of the room's state. */
  dropOccupant(occupant: Occupant, rest?: Occupant): void {
    this.scope.set(occupantStore, occupant.nick, rest)
    if (!rest) {
      this.#tellFeatures('populated')
      for (const feature of this.rooms.features()) feature.departed?.(this, occupant)
    }
    const left = new Set(rest?.resources.map(({ jid }) => jid))
    for (const { jid } of occupant.resources)
      if (!left.has(jid) && this.scope.get(nickStore, jid) === occupant.nick)
        this.scope.set(nickStore, jid, undefined)
  }

  kept<T>(feature: string): T | undefined {
    return this.record.kept[feature] as T | undefined
  }

  keep(feature: string, value: unknown): void {
    const { [feature]: _, ...others } = this.record.kept
    const kept = value === undefined ? others : { ...others, [feature]: value }
    this.scope.set(roomStore, '', { ...this.record, kept })
  }

  configure(settings: RoomSettings): void {
    const listed = settings['muc#roomconfig_publicroom'] === true
    const title = String(settings['muc#roomconfig_roomname'] ?? '')
    const isPersistent = settings['muc#roomconfig_persistentroom'] === true
    const temporary = isPersistent ? undefined : (this.record.temporary ?? this.scope.now)
    const changed = { locked: false, settings, listed, temporary, title }
    const wasTemporary = this.record.temporary !== undefined
    this.scope.set(roomStore, '', { ...this.record, ...changed })
    if (!isPersistent && !wasTemporary) this.#announceTemporary()
    this.#tellFeatures('settled')
  }

  #tellFeatures(what: 'populated' | 'settled'): void {
    for (const feature of this.rooms.features()) feature[what]?.(this)
  }

  broadcast(stanza: Stanza | XmlElement): void {
    this.multicast([...this.occupants()], stanza)
  }

  multicast(to: readonly Occupant[], stanza: Stanza | XmlElement): void {
    this.spread(
      to.flatMap(({ resources }) => resources),
      stanza,
    )
  }

  spread(to: readonly OccupantResource[], stanza: Stanza | XmlElement): void {
    const recipients = to.map(({ jid }) => jid)
    if (recipients.length > 0) this.scope.multicast(recipients, this.#signed(stanza))
  }

  tell(to: Jid, stanza: Stanza | XmlElement): void {
    this.scope.send(this.#signed(stanza).with({ to }))
  }

  tellOccupant({ resources }: Pick<Occupant, 'resources'>, stanza: Stanza | XmlElement): void {
    const signed = this.#signed(stanza)
    for (const { jid } of resources) this.scope.send(signed.with({ to: jid }))
  }

  /** Everything durable goes; who is in it was told already. */
  remove(): void {
    for (const occupant of [...this.occupants()]) this.dropOccupant(occupant)
    for (const feature of this.rooms.features()) feature.destroyed?.(this)
    const { scope } = this
    if (this.affiliations().size > 0) scope.set(affiliationStore, '', undefined)
    if (scope.get(affiliationLogStore)) scope.set(affiliationLogStore, '', undefined)
    if (scope.get(historyStore)) scope.set(historyStore, '', undefined)
    scope.set(roomStore, '', undefined)
  }

  /** Tells the service that from now on it goes with its last occupant: nothing from before that time may live there. */
  #announceTemporary(): void {
    const service = this.record.service as BareJid
    this.tell(service, Stanza.from(bareUnavailable(this.jid)))
  }

  #signed(stanza: Stanza | XmlElement): Stanza {
    const whole = stanza instanceof Stanza ? stanza : Stanza.from(stanza)
    return whole.from === undefined ? whole.with({ from: this.jid }) : whole
  }
}

/** The configuration of a room that nobody configured. */
export function initialSettings(features: readonly RoomFeature[]): RoomSettings {
  const fields = features.flatMap((feature) => Object.entries(feature.fields ?? {}))
  return Object.fromEntries(fields.map(([name, { initial }]) => [name, initial]))
}

/** What will pass, such as a room that is full, is no matter of rights. */
function isLetIn(check: () => void): boolean {
  try {
    check()
    return true
  } catch (error) {
    if (error instanceof StanzaError) return error.type === 'wait'
    throw error
  }
}

/** A role that somebody in a room can have. */
export function isPresent(role: Role): role is Occupant['role'] {
  return role !== 'none'
}
