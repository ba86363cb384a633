import type { Scope } from '@tactus/core'
import { bare, type Jid, parseJid, resourcepart } from '@tactus/jid'
import { messageBody } from '@tactus/stanza'
import {
  type ArchivedMessage,
  archivedKey,
  archiveRow,
  archiveStore,
  archiveTable,
  wordsOf,
} from '@tactus/storage'
import type { Stanza } from '@tactus/xml'
import { retract } from './retraction.ts'
import { isArchivable } from './rules.ts'
import { archiveOwner, type DefaultMode, isWanted } from './settings.ts'

/** A message that the account accepted or sent, and what decides about it. */
export interface Candidate {
  readonly message: Stanza
  readonly id: string
  readonly incoming: boolean
  readonly mode: DefaultMode
  /** Whether it can be found by its words. */
  readonly searchable: boolean
}

/**
 * Archives a message in the step that accepts it, where the rules and the account want it. True when it was.
 *
 * A repeat after a loss of the bus finds it there (design §3.11); it keeps its place.
 */
export function keepMessage(scope: Scope, candidate: Candidate): boolean {
  const { message, incoming, mode } = candidate
  if (scope.host.anonymous || !isArchivable(message)) return false
  const peer = parseJid((incoming ? message.from : message.to) ?? scope.entity)
  if (!isWanted(scope, peer, mode)) return false
  const archived = archivedMessage(scope, candidate, peer)
  if (scope.turn.replayed && scope.get(archiveStore, archivedKey(archived.owner, archived.id)))
    return false
  retract(scope, message, archived)
  scope.turn.insert(archiveStore, archiveTable, archiveRow(archived))
  const { id, owner } = archived
  scope.emit('message.archived', { message, id, owner, peer: bare(peer), incoming })
  return true
}

function archivedMessage(
  scope: Scope,
  { message, id, incoming, searchable }: Candidate,
  peer: Jid,
): ArchivedMessage {
  const body = searchable ? messageBody(message) : undefined
  return {
    owner: archiveOwner(scope),
    id,
    at: scope.now,
    incoming,
    peer: bare(peer),
    resource: resourcepart(peer),
    origin: message.id,
    words: body === undefined ? undefined : wordsOf(body),
    stanza: message.bytes,
  }
}
