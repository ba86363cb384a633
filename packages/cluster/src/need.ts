import type { DurableStore } from '@tactus/storage'

/** State that an input found missing; the engine loads it and runs the input again. */
export type LoadNeed =
  | { readonly need: 'live' }
  | { readonly need: 'durable'; readonly store: DurableStore<unknown>; readonly key: string }
  | { readonly need: 'queue'; readonly session: string; readonly payloads: boolean }

/** What an input waits for: a load, or rows of a step that is not committed yet (design §3.3). */
export type Need = LoadNeed | { readonly need: 'commit'; readonly step: number }
