import { z } from 'zod'

/** Settings of the pubsub service of a host, beyond the bounds of its nodes. */
export interface HostedSettings {
  readonly subdomain: string | false
  readonly name: string
  readonly creation: 'everyone' | 'local' | 'admins'
  readonly nodes: number
  readonly nodesPerAccount: number
  readonly nodeBytes: number
}

/** The same as they stand in the configuration. */
export const hostedSettings: z.ZodType<HostedSettings> = z.strictObject({
  subdomain: z
    .union([z.literal(false), z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/)])
    .default('pubsub')
    .meta({
      description:
        'What stands before the name of a host in the address of its pubsub service; `false` for none.',
    }),
  name: z.string().max(100).default('Publish-Subscribe').meta({
    description: 'What the service calls itself.',
  }),
  creation: z.enum(['everyone', 'local', 'admins']).default('local').meta({
    description:
      'Who may make nodes: `local` are the accounts of the same host, `admins` those who administer the server.',
  }),
  nodes: z.int().positive().default(100_000).meta({
    description: 'Most nodes of a service.',
  }),
  nodesPerAccount: z.int().positive().default(100).meta({
    description: 'Most nodes that an account has made when it makes another.',
  }),
  nodeBytes: z.int().positive().default(10_485_760).meta({
    description: 'Most bytes of all payloads of a node of a service.',
  }),
})
