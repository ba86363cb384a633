import { z } from 'zod'
import { type HostedSettings, hostedSettings } from './hosted/config.ts'
import type { Limits } from './service.ts'

/** Settings of this module: bounds of what an entity's nodes may hold, and the service beside the accounts. */
export interface PubsubConfig extends Limits {
  readonly service: HostedSettings
  /** Of an account. */
  readonly visitors: number
}

/** The same as they stand in the configuration. */
export const pubsubConfig: z.ZodType<PubsubConfig> = z.strictObject({
  nodes: z.int().positive().default(256).meta({
    description: 'Most nodes of an account.',
  }),
  items: z.int().positive().default(10_000).meta({
    description: 'Most items that a node keeps; what `max` means for `pubsub#max_items`.',
  }),
  attachedItems: z.int().min(0).default(1_000).meta({
    description:
      'Most items of an account, or of a node of a service, that others can attach something to (XEP-0470).',
  }),
  payloadBytes: z.int().positive().default(262_144).meta({
    description: 'Largest payload of an item, in bytes of UTF-8.',
  }),
  bytes: z.int().positive().default(52_428_800).meta({
    description: 'Most bytes of all payloads of an account.',
  }),
  subscribers: z.int().min(0).default(1_000).meta({
    description: 'Most explicit subscriptions to a node.',
  }),
  affiliations: z.int().min(0).default(1_000).meta({
    description: 'Most affiliations with a node.',
  }),
  pageItems: z.int().positive().default(100).meta({
    description: 'Most items in one answer; the rest comes page by page (XEP-0059).',
  }),
  visitors: z.int().positive().default(256).meta({
    description:
      'Most resources of contacts on other servers that an account knows the wishes of, to notify them.',
  }),
  versions: z.boolean().default(false).meta({
    description:
      'Tell the versions of items, and publish only where nobody else has since (XEP-0395). Some clients, all that use Smack among them, take what tells versions for an item, and fail.',
  }),
  service: hostedSettings
    .prefault({})
    .meta({ description: 'The pubsub service of a host, on a domain below it.' }),
  pageBytes: z.int().positive().default(524_288).meta({
    description: 'Most bytes of payloads in one answer.',
  }),
})
