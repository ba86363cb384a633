import { z } from 'zod'

/** Settings of the presence module, all of them bounds. */
export const presenceConfig: z.ZodType<PresenceConfig> = z.strictObject({
  bytes: z.int().positive().default(32_768).meta({
    description:
      'Largest presence stanza of an account, in bytes: it is kept while the resource is available.',
  }),
  directed: z.int().positive().default(1_000).meta({
    description: 'Most addresses, rooms among them, that one resource sends directed presence to.',
  }),
  requests: z.int().positive().default(200).meta({
    description:
      'Most unanswered subscription requests of an account; beyond, the oldest of the same domain is dropped.',
  }),
  requestBytes: z.int().positive().default(4_096).meta({
    description:
      'What is kept of one subscription request; a larger one is kept without what is attached to it.',
  }),
  items: z.int().positive().default(1_000).meta({
    description: 'Most contacts of an account. Keep it as in the roster module.',
  }),
  answerProbes: z.boolean().default(true).meta({
    description:
      'Whether a contact that asks for the presence of an account nobody is logged in to is told so.',
  }),
})
/** What the settings are once defaults are filled in. */
export interface PresenceConfig {
  readonly bytes: number
  readonly directed: number
  readonly requests: number
  readonly requestBytes: number
  readonly items: number
  readonly answerProbes: boolean
}
