import { type JobDefinition, type LiveStore, liveStore, type Scope } from '@tactus/core'
import { Stanza } from '@tactus/xml'
import { temporaryRooms } from './queries.ts'
import { bareUnavailable } from './wire.ts'

const page = 500

/** Since when the service knows that the bus holds its rooms' occupants, wall clock in ms. */
export const beginningStore: LiveStore<number> = liveStore('muc-beginning')

interface Spec {
  readonly job: 'sweep'
  readonly service: string
  readonly since: number
  readonly after: string
}

/**
 * Since when temporary rooms are there whose occupants are known; for the service's own scope.
 *
 * With the bus the occupants of all rooms are lost, and nobody is left to close the temporary ones; so is what is
 * remembered here. Whatever reaches the service first finds that missing, and the rooms of the time before are gone
 * through: each that is touched sees that it is empty.
 */
export function beginning(scope: Scope, at: number = scope.now): number {
  const known = scope.get(beginningStore)
  if (known !== undefined && known <= at) return known
  scope.set(beginningStore, '', at)
  if (known === undefined) sweep(scope, at, '')
  return at
}

function sweep(scope: Scope, since: number, after: string): void {
  const spec: Spec = { job: 'sweep', service: scope.entity, since, after }
  scope.job('muc', 'muc sweep', spec)
}

/** Goes through the temporary rooms of the time before, some at a time. */
export const sweepJob: JobDefinition<Spec, readonly string[]> = {
  run: ({ service, since, after }, { reader }) =>
    temporaryRooms(reader, { service, since }, { after, limit: page }),
  done(scope, { since }, result) {
    // Else the rooms stay in their tables until somebody touches them; the list does not show them.
    if (!result.ok) return
    // A departure of nobody: a room that somebody is in does not mind.
    const touch = Stanza.from(bareUnavailable(scope.entity))
    for (const room of result.value) scope.send(touch.with({ to: room }))
    const last = result.value.at(-1)
    if (last !== undefined && result.value.length === page) sweep(scope, since, last)
  },
}
