import type { Scope } from '@tactus/core'
import { markerStore } from './store.ts'
import { noticeMessage } from './wire.ts'

/** A message of the day as an account is offered it. */
export interface Motd {
  readonly id: string
  readonly text: string
}

/**
 * The account's host has a message of the day: who is there has it now, who is not when they come (XEP-0133 §4.24). Each
 * account has each once, however often it is told.
 */
export function offerMotd(scope: Scope, motd: Motd): void {
  const marker = scope.get(markerStore)
  if (marker?.seen === motd.id) return
  if (isThere(scope)) return showMotd(scope, motd)
  scope.set(markerStore, '', { pending: motd.id, seen: marker?.seen ?? '' })
}

/** One waits for the account. */
export function isPending(scope: Scope): boolean {
  const pending = scope.get(markerStore)?.pending ?? ''
  return pending !== ''
}

/** Somebody came, and this is what the host has to say now: nothing any more, perhaps. */
export function deliverPending(scope: Scope, motd: Motd | undefined): void {
  const marker = scope.get(markerStore)
  if (!marker || marker.pending === '') return
  if (!motd || motd.id === marker.seen)
    return scope.set(markerStore, '', { ...marker, pending: '' })
  // They left again; the next time will do.
  if (isThere(scope)) showMotd(scope, motd)
}

/** As a message that waits in the mailbox until a client has it, so that a socket that breaks loses nothing. */
function showMotd(scope: Scope, { id, text }: Motd): void {
  scope.set(markerStore, '', { pending: '', seen: id })
  const said = { from: scope.host.name, id, subject: 'Message of the day', text }
  scope.send(noticeMessage(said, scope.entity), { durable: true })
}

function isThere(scope: Scope): boolean {
  return scope.sessions().some(({ presence }) => presence !== undefined && presence.priority >= 0)
}
