import { z } from 'zod'

/** What the rooms of a host may be, who may make them, and how large anything about them gets. */
export const mucConfig: z.ZodType<MucConfig> = z.strictObject({
  subdomain: z
    .union([z.literal(false), z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/)])
    .default('conference')
    .meta({
      description:
        'What stands before the name of a host in the addresses of its rooms; `false` for no rooms.',
    }),
  name: z.string().max(100).default('Chat rooms').meta({
    description: 'What the service calls itself.',
  }),
  creation: z.enum(['everyone', 'local', 'admins']).default('local').meta({
    description:
      'Who may make rooms: `local` are the accounts of the same host, `admins` those who administer the server.',
  }),
  rooms: z.int().positive().default(100_000).meta({
    description: 'Most rooms of a service.',
  }),
  roomsPerAccount: z.int().positive().default(100).meta({
    description: 'Most rooms that an account has made, and that are there, when it makes another.',
  }),
  occupants: z.int().positive().default(500).meta({
    description: 'Most occupants of a room; its owners choose a number up to this.',
  }),
  resources: z.int().positive().default(10).meta({
    description: 'Most resources of an account under one nickname.',
  }),
  affiliations: z.int().positive().default(5_000).meta({
    description: 'Most accounts with an affiliation to one room, those banned among them.',
  }),
  affiliationChanges: z.int().positive().max(10_000).default(500).meta({
    description:
      'Changes of a room’s affiliations that are remembered, so that clients that know the list get no more than what is new (XEP-0463).',
  }),
  history: z.int().min(0).max(1_000).default(100).meta({
    description: 'Most messages of a room that are kept for those who join.',
  }),
  historyBytes: z.int().min(0).default(524_288).meta({
    description: 'Most bytes of a room’s history.',
  }),
  nickBytes: z.int().positive().max(1_023).default(256).meta({
    description: 'Longest nickname, in bytes of UTF-8.',
  }),
  presenceBytes: z.int().positive().default(8_192).meta({
    description: 'Largest presence of an occupant: it is kept and sent to everybody who joins.',
  }),
  linesPerSecond: z.number().positive().default(5).meta({
    description: 'How many messages a second an account may send to one room for long.',
  }),
  linesAtOnce: z.int().positive().default(60).meta({
    description: 'How many it may send at once after a while of silence.',
  }),
  presencesPerSecond: z.number().positive().default(0.5).meta({
    description:
      'How many times a second an account may come into one room, or change its presence or nickname there, for long; its admins as often as they like.',
  }),
  presencesAtOnce: z.int().positive().default(20).meta({
    description: 'How many times it may do so at once after a while of quiet.',
  }),
  activitySubscribers: z.int().positive().default(5_000).meta({
    description:
      'Most clients of a service that are told of what happens in rooms that they are not in (XEP-0437).',
  }),
  activityRooms: z.int().min(0).max(1_000).default(100).meta({
    description: 'Of how many rooms, in which it is a member, each is told; 0: nobody is told.',
  }),
  hats: z.int().min(0).default(50).meta({
    description: 'Most hats (XEP-0317) that a room has.',
  }),
  hatsWorn: z.int().min(0).default(500).meta({
    description: 'Most accounts that wear a hat in one room.',
  }),
  avatarBytes: z.int().positive().default(131_072).meta({
    description: 'Largest image of a room, in bytes.',
  }),
  subjectBytes: z.int().positive().default(8_192).meta({
    description: 'Largest message that sets a subject.',
  }),
})
/** See {@link mucConfig}. */
export interface MucConfig {
  readonly subdomain: string | false
  readonly name: string
  readonly creation: 'everyone' | 'local' | 'admins'
  readonly rooms: number
  readonly roomsPerAccount: number
  readonly occupants: number
  readonly resources: number
  readonly affiliations: number
  readonly affiliationChanges: number
  readonly history: number
  readonly historyBytes: number
  readonly nickBytes: number
  readonly presenceBytes: number
  readonly linesPerSecond: number
  readonly linesAtOnce: number
  readonly presencesPerSecond: number
  readonly presencesAtOnce: number
  readonly activitySubscribers: number
  readonly activityRooms: number
  readonly hats: number
  readonly hatsWorn: number
  readonly avatarBytes: number
  readonly subjectBytes: number
}
