import { type Secret, secretValue } from '@tactus/config'
import { z } from 'zod'

const name = z.string().min(1).max(255)

/** A service that clients use and that is none of ours. */
export interface ExternalService {
  readonly type: string
  readonly host: string
  readonly port?: number | undefined
  readonly transport?: string | undefined
  readonly name?: string | undefined
  readonly secret?: Secret | undefined
  readonly username?: string | undefined
  readonly password?: Secret | undefined
}

/** What the settings are once defaults are filled in. */
export interface ExternalServicesConfig {
  readonly services: readonly ExternalService[]
  readonly lifetime: number
}

/** Settings of the external-services module. */
export const externalServicesConfig: z.ZodType<ExternalServicesConfig> = z.strictObject({
  services: z
    .array(
      z.strictObject({
        type: name.meta({ description: 'What it is: `stun`, `turn`, `turns`, `ftp`, …' }),
        host: name.meta({ description: 'Its domain or address.' }),
        port: z.int().min(1).max(65_535).optional().meta({ description: 'Its port.' }),
        transport: name.optional().meta({ description: '`udp`, `tcp` or what else it takes.' }),
        name: name.optional().meta({ description: 'What people call it.' }),
        secret: secretValue.optional().meta({
          description:
            'Shared with a TURN server, coturn’s `static-auth-secret`: each account gets credentials that expire.',
        }),
        username: name
          .optional()
          .meta({ description: 'The same for all, where there is no secret.' }),
        password: secretValue.optional().meta({ description: 'Goes with `username`.' }),
      }),
    )
    .max(100)
    .default([])
    .meta({ description: 'Services that the accounts of a host may use.' }),
  lifetime: z.int().min(60).default(86_400).meta({
    description: 'For how many seconds credentials are good that are made by a secret.',
  }),
})
