import { StanzaError } from '@tactus/stanza'
import { CommandError } from './commands.ts'

/** Refuses a stanza without a word to its sender, where a specification forbids any answer (XEP-0191 §3.3). */
export class SilentRefusal extends Error {
  override readonly name = 'SilentRefusal'
}

/** True for what a handler throws to refuse an input; anything else is a bug, which the engine logs. */
export function isRefusal(error: unknown): boolean {
  return (
    error instanceof StanzaError || error instanceof CommandError || error instanceof SilentRefusal
  )
}
