import { isBare, isFull, localpart, tryParseJid } from '@tactus/jid'
import { z } from 'zod'

/** A command's argument that names an account: localpart@domainpart. */
export const accountJid: z.ZodString = z
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
  })

/** The same, for commands that an account may run about itself and nobody else. */
export const ownJid: z.ZodString = accountJid.meta({ ...accountJid.meta(), own: 'account' })

/** A command's argument that names a bound resource: localpart@domainpart/resourcepart. */
export const resourceJid: z.ZodString = z
  .string()
  .refine(
    (text) => {
      const jid = tryParseJid(text)
      return jid !== undefined && isFull(jid) && localpart(jid) !== undefined
    },
    { error: 'is no address of a resource; romeo@montague.example/orchard would be one' },
  )
  .meta({
    description: 'Full JID of the session, `localpart@domain/resource`.',
    positional: true,
    jid: true,
  })

/** A command's argument that names one session, or by its account all of them. */
export const sessionsJid: z.ZodString = z
  .string()
  .refine(
    (text) => {
      const jid = tryParseJid(text)
      return jid !== undefined && localpart(jid) !== undefined
    },
    {
      error:
        'is no address of an account or a session; romeo@montague.example/orchard would be one',
    },
  )
  .meta({
    description:
      'Full JID of the session, `localpart@domain/resource`, or the address of the account.',
    positional: true,
    jid: true,
  })
