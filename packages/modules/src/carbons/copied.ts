import { type LiveStore, liveStore, type Scope } from '@tactus/core'

/** A message that was copied, by what an error that answers it would bear: its id, and who it is from. */
interface Copied {
  readonly id: string
  readonly peer: string
}

const capacity = 32

/** The last messages of an account that were copied: a ring, and at `next` the slot that is written next. */
export const copiedStore: LiveStore<Copied | number> = liveStore('carbons-copied')

/** Remembers a message, so that an error which answers it is copied as well (XEP-0280 §6.1). */
export function rememberCopied(
  scope: Scope,
  id: string | undefined,
  peer: string | undefined,
): void {
  if (id === undefined || peer === undefined) return
  const next = Number(scope.get(copiedStore, 'next') ?? 0)
  scope.set(copiedStore, String(next), { id, peer })
  scope.set(copiedStore, 'next', (next + 1) % capacity)
}

/** True for the id and the address of a message that was copied a short while ago. */
export function wasCopied(scope: Scope, id: string | undefined, peer: string | undefined): boolean {
  for (const entry of scope.all(copiedStore).values())
    if (typeof entry !== 'number' && entry.id === id && entry.peer === peer) return true
  return false
}

/** Forgets them all: nobody is left to get a copy. */
export function forgetCopied(scope: Scope): void {
  for (const key of scope.all(copiedStore).keys()) scope.set(copiedStore, key, undefined)
}
