import type { LiveStore, QueueMeta } from '@tactus/cluster'
import { Stanza } from '@tactus/xml'
import type { Scope } from './scope.ts'

/*
 * What a resource whose client is inactive (XEP-0352) is not bothered with yet. It has no out-number and is in no queue,
 * so that it can still be replaced by what is newer; it is live state like the queue itself, so it outlives the router.
 */

/** A stanza that waits until the client is active, or until something comes that may not wait. */
export interface Held {
  readonly stanza: Stanza
  /** What it is about: of two that are about the same, only the newer one is of use. */
  readonly about: string | undefined
  readonly meta: QueueMeta
}

/** How much may be held back for one resource. */
export interface HeldLimits {
  readonly stanzas: number
  readonly bytes: number
}

/** Key: `<session id> <place>`; places are numbers that rise. */
export const heldStore: LiveStore<Held> = {
  kind: 'live',
  name: 'w',
  encode: ({ stanza, about, meta }) => [stanza.bytes, about, meta],
  decode(stored) {
    const [bytes, about, meta] = stored as [Uint8Array, string | null, QueueMeta]
    return { stanza: Stanza.parse(bytes), about: about ?? undefined, meta }
  },
}

/** Everything that is held back for a session, oldest first. */
export function heldOf(scope: Scope, session: string): readonly Held[] {
  return places(scope, session).map(({ held }) => held)
}

/** Holds a stanza back, in place of an older one about the same. False where there is no room for it. */
export function hold(scope: Scope, session: string, held: Held, limits: HeldLimits): boolean {
  let all = places(scope, session)
  const place = (all.at(-1)?.place ?? 0) + 1
  const older = all.find(({ held: { about } }) => about !== undefined && about === held.about)
  if (older) {
    all = all.filter((other) => other !== older)
    scope.set(heldStore, older.key, undefined)
  }
  const bytes = all.reduce((sum, other) => sum + sizeOf(other.held), sizeOf(held))
  if (all.length >= limits.stanzas || bytes > limits.bytes) return false
  scope.set(heldStore, `${session} ${place}`, held)
  return true
}

/** Takes what is held back for a session, one after the other, oldest first. */
export function* takeHeld(scope: Scope, session: string): Generator<Held> {
  for (const { key, held } of places(scope, session)) {
    scope.set(heldStore, key, undefined)
    yield held
  }
}

interface Place {
  readonly key: string
  readonly place: number
  readonly held: Held
}

/** In the order of their places: a map that was loaded anew is in none. */
function places(scope: Scope, session: string): Place[] {
  const found: Place[] = []
  const prefix = `${session} `
  for (const [key, held] of scope.all(heldStore))
    if (key.startsWith(prefix)) found.push({ key, place: Number(key.slice(prefix.length)), held })
  return found.sort((one, other) => one.place - other.place)
}

function sizeOf({ stanza }: Held): number {
  return stanza.bytes.length
}
