import {
  affiliations,
  type CommandDefinition,
  CommandError,
  readCommand,
  type Scope,
  type ServiceDefinition,
  writeCommand,
} from '@tactus/core'
import {
  type BareJid,
  bare,
  domainpart,
  isBare,
  localpart,
  parseBareJid,
  tryParseJid,
} from '@tactus/jid'
import { readSubmission, StanzaError } from '@tactus/stanza'
import { z } from 'zod'
import { changeAffiliation } from './affiliations.ts'
import { destroy, expel } from './leave.ts'
import { configurationFields, configure } from './owner.ts'
import { allRooms } from './queries.ts'
import { type Rooms, RoomTurn } from './room.ts'
import { NS_ROOM_CONFIG } from './wire.ts'

/** What the rooms of a service share, for commands, which are known before there is a service. */
const served = new WeakMap<ServiceDefinition, Rooms>()

/** Says which rooms a service's commands are about. */
export function serveCommands(definition: ServiceDefinition, rooms: Rooms): void {
  served.set(definition, rooms)
}

const roomJid = z
  .string()
  .refine(
    (text) => {
      const jid = tryParseJid(text)
      return jid !== undefined && isBare(jid) && localpart(jid) !== undefined
    },
    { error: 'is no address of a room; coven@conference.montague.example would be one' },
  )
  .meta({ description: 'Address of the room.', positional: true, jid: true })
const accountJid = (description: string) =>
  z
    .string()
    .refine((text) => tryParseJid(text) !== undefined, { error: 'is no address' })
    .meta({ description, positional: true, jid: true })
const reason = z.string().max(1_000).optional().meta({ description: 'What people are told.' })
const entity = ({ jid }: { readonly jid: string }): BareJid => parseBareJid(jid)
const access = { level: 'host' } as const

const list = readCommand({
  name: 'room list',
  access: { level: 'host', about: ({ service }) => service },
  summary: 'Lists the rooms of a service, hidden ones among them, or those of all, by address.',
  input: z.object({
    service: z.string().optional().meta({
      description: 'Domain of the rooms, such as conference.montague.example.',
      positional: true,
    }),
    after: roomJid.optional().meta({
      description: 'Address of the last room of the page before.',
      positional: false,
      jid: true,
    }),
    limit: z.coerce
      .number()
      .int()
      .min(1)
      .max(1_000)
      .default(100)
      .meta({ description: 'Most rooms to list.' }),
  }),
  output: z.object({
    rooms: z.array(
      z.object({
        jid: z.string(),
        name: z.string(),
        listed: z.boolean(),
        persistent: z.boolean(),
        created: z.iso.datetime(),
      }),
    ),
    next: z.string().optional(),
  }),
  async run({ reader }, { service, after, limit }) {
    // One more than asked for tells whether this page is the last.
    const found = await allRooms(reader, { service, after: after ?? '', limit: limit + 1 })
    const rooms = found.slice(0, limit).map(({ created, ...room }) => ({
      ...room,
      created: new Date(created).toISOString(),
    }))
    const last = rooms.at(-1)
    return { rooms, ...(found.length > limit && last && { next: last.jid }) }
  },
})

const show = writeCommand({
  name: 'room show',
  access,
  summary: 'Shows a room: its configuration, who is what to it, who is in it.',
  input: z.object({ jid: roomJid }),
  output: z.object({
    jid: z.string(),
    created: z.iso.datetime(),
    locked: z.boolean(),
    options: z.record(z.string(), z.array(z.string())),
    affiliations: z.array(
      z.object({
        jid: z.string(),
        affiliation: z.string(),
        nick: z.string().optional(),
        reason: z.string().optional(),
      }),
    ),
    occupants: z.array(
      z.object({ nick: z.string(), jid: z.string(), role: z.string(), resources: z.number() }),
    ),
  }),
  entity,
  run(scope) {
    const room = requireRoom(scope)
    const options = Object.entries(optionsOf(room)).map(([name, { kind }]) => [
      name,
      // A password is for those who have one to show: its owners, in the room's own form.
      kind.type === 'text-private' ? [] : [...kind.write(room.settings[name])],
    ])
    return {
      jid: room.jid,
      created: new Date(room.created).toISOString(),
      locked: room.record.locked,
      options: Object.fromEntries(options),
      affiliations: [...room.affiliations()].slice(0, 1_000).map(([jid, affiliated]) => ({
        jid,
        affiliation: affiliated.affiliation,
        ...(affiliated.nick !== undefined && { nick: affiliated.nick }),
        ...(affiliated.reason !== undefined && { reason: affiliated.reason }),
      })),
      occupants: [...room.occupants()].map(({ nick, account, role, resources }) => ({
        nick,
        jid: account,
        role,
        resources: resources.length,
      })),
    }
  },
})

const create = writeCommand({
  name: 'room create',
  access,
  summary: 'Makes a room that stays when nobody is in it.',
  input: z.object({ jid: roomJid, owner: accountJid('Address of the account that shall own it.') }),
  output: z.object({ jid: z.string(), owner: z.string() }),
  entity,
  run(scope, { owner: text }) {
    const rooms = requireRooms(scope)
    if (RoomTurn.find(rooms, scope))
      throw new CommandError('conflict', `there is a room ${scope.entity} already`)
    const owner = bare(parseBareJid(text))
    const room = RoomTurn.make(rooms, scope, { persistent: true })
    room.setAffiliated(owner, { affiliation: 'owner', nick: undefined, reason: undefined })
    return { jid: room.jid, owner }
  },
})

const remove = writeCommand({
  name: 'room destroy',
  access,
  irreversible: true,
  summary: 'Ends a room: everybody is put out, and all of it is deleted.',
  input: z.object({
    jid: roomJid,
    reason,
    venue: accountJid('Address of a room to go to instead.')
      .optional()
      .meta({ description: 'Address of a room to go to instead.', positional: false, jid: true }),
  }),
  output: z.object({ jid: z.string() }),
  entity,
  run(scope, { reason: why, venue }) {
    const room = requireRoom(scope)
    destroy(room, { jid: venue, reason: why })
    return { jid: room.jid }
  },
})

const set = writeCommand({
  name: 'room set',
  access,
  summary: 'Changes an option of a room, as its owners can in its form.',
  input: z.object({
    jid: roomJid,
    option: z.string().meta({
      description: 'Name of the option, such as muc#roomconfig_persistentroom.',
      positional: true,
    }),
    value: z.string().max(10_000).meta({
      description: 'The value; of options that take several, all of them with commas in between.',
      positional: true,
    }),
  }),
  output: z.object({ jid: z.string(), option: z.string(), values: z.array(z.string()) }),
  entity,
  run(scope, { option, value }) {
    const room = requireRoom(scope)
    const definition = Object.hasOwn(optionsOf(room), option) ? optionsOf(room)[option] : undefined
    if (!definition) {
      const known = Object.keys(optionsOf(room)).join(', ')
      throw new CommandError('invalid', `option: there is no ${option}; there are ${known}`)
    }
    const isList = definition.kind.type.endsWith('-multi') && definition.kind.type !== 'text-multi'
    const values = isList ? value.split(',').filter((part) => part !== '') : [value]
    explained(() => {
      const form = { type: 'submit', fields: [{ var: option, values }] } as const
      configure(room, undefined, readSubmission(form, NS_ROOM_CONFIG, optionsOf(room)))
    })
    return { jid: room.jid, option, values: [...definition.kind.write(room.settings[option])] }
  },
})

const affiliate = writeCommand({
  name: 'room affiliation',
  access,
  summary: 'Says what an account is to a room; `outcast` bans it, `none` forgets it.',
  input: z.object({
    jid: roomJid,
    account: accountJid('Address of the account.'),
    affiliation: z.enum(affiliations).meta({ description: 'What it shall be.', positional: true }),
    reason,
  }),
  output: z.object({ jid: z.string(), account: z.string(), affiliation: z.string() }),
  entity,
  run(scope, { account: text, affiliation, reason: why }) {
    const room = requireRoom(scope)
    const account = bare(parseBareJid(text))
    explained(() => changeAffiliation(room, { account, affiliation, reason: why }))
    return { jid: room.jid, account, affiliation }
  },
})

const kick = writeCommand({
  name: 'room kick',
  access,
  summary: 'Puts somebody out of a room, who may come back.',
  input: z.object({
    jid: roomJid,
    nick: z.string().meta({ description: 'Nickname in the room.', positional: true }),
    reason,
  }),
  output: z.object({ jid: z.string(), nick: z.string() }),
  entity,
  run(scope, { nick, reason: why }) {
    const room = requireRoom(scope)
    const occupant = room.occupant(nick)
    if (!occupant) throw new CommandError('not-found', `nobody is called ${nick} in ${room.jid}`)
    expel(room, occupant, { codes: [307], item: { reason: why } })
    return { jid: room.jid, nick }
  },
})

/** What operators do about rooms; the administrator of a host about those of the host. */
export const roomCommands: readonly CommandDefinition[] = [
  list,
  show,
  create,
  remove,
  set,
  affiliate,
  kick,
]

function requireRooms(scope: Scope): Rooms {
  const rooms = scope.service && served.get(scope.service.definition)
  if (!rooms)
    throw new CommandError('not-found', `there are no rooms at ${domainpart(scope.entity)}`)
  return rooms
}

function requireRoom(scope: Scope): RoomTurn {
  const room = RoomTurn.find(requireRooms(scope), scope)
  if (!room) throw new CommandError('not-found', `there is no room ${scope.entity}`)
  return room
}

function optionsOf(room: RoomTurn): ReturnType<typeof configurationFields> {
  return configurationFields(room.rooms)
}

/** Says to operators what the room would say to its owner. */
function explained(change: () => void): void {
  try {
    change()
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error
    const code = error.condition === 'conflict' ? 'conflict' : 'invalid'
    throw new CommandError(code, error.text ?? error.condition)
  }
}
