import { type CommandDefinition, readCommand } from '@tactus/core'
import { isBare, localpart, parseBareJid, tryParseJid } from '@tactus/jid'
import { stateKey } from '@tactus/storage'
import { z } from 'zod'
import { lastActivityStore } from './store.ts'

const seen = readCommand({
  name: 'user seen',
  access: { level: 'account', about: ({ jid }) => jid },
  summary: 'Tells since when somebody is logged in to an account, or when last somebody was.',
  input: z.object({
    jid: z
      .string()
      .refine(
        (text) => {
          const jid = tryParseJid(text)
          return jid !== undefined && isBare(jid) && localpart(jid) !== undefined
        },
        { error: 'is no address of an account; romeo@montague.example would be one' },
      )
      .meta({
        description: 'Address of the account, `localpart@domain`.',
        positional: true,
        jid: true,
        own: 'account',
      }),
  }),
  output: z.object({
    jid: z.string(),
    online: z.boolean(),
    /** Of the latest log-in while somebody is there, else of the last departure; absent where neither is known. */
    at: z.iso.datetime().optional(),
  }),
  async run({ reader, sessions }, { jid }) {
    const entity = parseBareJid(jid)
    const there = await sessions(entity)
    const stored = await lastActivityStore.load(reader, [{ entity, key: '' }])
    const latest = there.at(-1)
    const at = latest?.since ?? stored.get(stateKey(entity, ''))?.at
    return {
      jid: entity,
      online: there.length > 0,
      ...(at !== undefined && { at: new Date(at).toISOString() }),
    }
  },
})

/** What may be asked of when accounts were used. */
export const lastActivityCommands: readonly CommandDefinition[] = [seen]
