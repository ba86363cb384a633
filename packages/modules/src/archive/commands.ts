import {
  type CommandDefinition,
  CommandError,
  requireAccount,
  type Scope,
  writeCommand,
} from '@tactus/core'
import { parseBareJid } from '@tactus/jid'
import { z } from 'zod'
import { lookStore, lookTimer } from './retention.ts'
import { changeSettings, settingsOf } from './settings.ts'

const jid = z
  .string()
  .transform((text, context) => {
    try {
      return parseBareJid(text) as string
    } catch {
      context.addIssue('a bare JID is expected, such as juliet@capulet.example')
      return z.NEVER
    }
  })
  .meta({
    description: 'The account, such as juliet@capulet.example.',
    positional: true,
    jid: true,
  })

const limit = (description: string) => z.int().min(0).optional().meta({ description })

const retention = writeCommand({
  name: 'archive retention',
  access: { level: 'host' },
  summary:
    'Says how long and how much of the archive of an account is kept, or with neither that the host decides.',
  input: z.object({
    jid,
    days: limit('Days that messages are kept; 0 for ever.'),
    messages: limit('Messages that are kept at most; 0 for any number.'),
  }),
  output: z.object({ jid: z.string(), days: z.int().nullable(), messages: z.int().nullable() }),
  entity: ({ jid: account }) => parseBareJid(account),
  run(scope, { days, messages }) {
    if (scope.host.anonymous)
      throw new CommandError('invalid', `guests of ${scope.host.name} have no archive`)
    requireAccount(scope)
    changeSettings(scope, { days, messages })
    lookSoon(scope)
    const settings = settingsOf(scope)
    return { jid: scope.entity, days: settings.days ?? null, messages: settings.messages ?? null }
  },
})

function lookSoon(scope: Scope): void {
  scope.set(lookStore, '', true)
  scope.timer(lookTimer, scope.now)
}

/** What operators do about archives. */
export const archiveCommands: readonly CommandDefinition[] = [retention]
