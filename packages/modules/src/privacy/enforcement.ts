import { type Decisions, type Scope, type Session, SilentRefusal } from '@tactus/core'
import { type Jid, resourcepart, tryParseJid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import { type ActiveLists, allows, hasNoLists, rulesOfSession } from './lists.ts'
import { inboundSubject, outboundSubject } from './rules.ts'

type Question<K extends keyof Decisions> = (event: Decisions[K], active: ActiveLists) => void

/** §2.14: what the account sends to somebody to whom it may not go. */
export const decideSending: Question<'stanza.may-send'> = ({ scope, session, stanza }, active) => {
  const to = address(stanza.to)
  if (!to || hasNoLists(scope)) return
  if (!allows(scope, rulesOfSession(scope, active, session), to, outboundSubject(stanza)))
    throw new StanzaError('not-acceptable', undefined, { type: 'cancel' })
}

/** §2.2: to a resource by its own list, to the account by those of its resources, and by its default where none is. */
export const decideReceiving: Question<'stanza.may-receive'> = (
  { scope, from, to, stanza },
  active,
) => {
  if (hasNoLists(scope)) return
  const subject = inboundSubject(stanza)
  const allowed = addressed(scope, to).some((session) =>
    allows(scope, rulesOfSession(scope, active, session), from, subject),
  )
  if (!allowed) throw refusal(stanza)
}

/** What is for all resources may be for some of them only. */
export const decideGetting: Question<'resource.may-get'> = ({ scope, session, stanza }, active) => {
  const from = address(stanza.from)
  if (!from || hasNoLists(scope)) return
  if (!allows(scope, rulesOfSession(scope, active, session), from, inboundSubject(stanza)))
    throw new SilentRefusal()
}

/** §2.11: presence that the server sends for a resource. */
export const decideHearing: Question<'recipient.may-hear'> = ({ scope, to, stanza }, active) => {
  if (hasNoLists(scope)) return
  const resource = resourceOf(address(stanza.from))
  const session = resource === undefined ? undefined : scope.session(resource)
  if (!allows(scope, rulesOfSession(scope, active, session), to, outboundSubject(stanza)))
    throw new SilentRefusal()
}

/** Undefined stands for the account, for which its default list speaks. */
function addressed(scope: Scope, to: Jid): readonly (Session | undefined)[] {
  const resource = resourcepart(to)
  if (resource !== undefined) return [scope.session(resource)]
  const there = scope.sessions().filter(({ presence }) => presence)
  return there.length > 0 ? there : [undefined]
}

function address(text: string | undefined): Jid | undefined {
  return text === undefined ? undefined : tryParseJid(text)
}

function resourceOf(jid: Jid | undefined): string | undefined {
  return jid && resourcepart(jid)
}

/** §2.14: what an account says where nobody is. An error to a room would take its occupant out. */
function refusal(stanza: Stanza): Error {
  const isSilent = stanza.name === 'presence' || stanza.type === 'groupchat'
  return isSilent ? new SilentRefusal() : new StanzaError('service-unavailable')
}
