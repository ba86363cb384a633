import type { Component, ComponentDirectory, Scope } from '@tactus/core'
import { bare, domainpart, isBare, type Jid, resourcepart, tryParseJid } from '@tactus/jid'
import { errorReply, iqRequest, NS_CLIENT, StanzaError } from '@tactus/stanza'
import { Stanza, type XmlElement, xml } from '@tactus/xml'
import type { Forwarded } from './wire.ts'

/**
 * A managing entity is asked in its host's name (§4.3), so it answers the host; but who waits for the answer is the entity
 * whose turn it was. The id says which, and the host passes the answer on, saying whose it is.
 */
export interface Asked {
  readonly host: string
  readonly component: string
}

/** Asks a managing entity under a key of this entity. */
export function askManager(
  scope: Scope,
  { host, component }: Asked,
  request: { readonly key: string; readonly type: 'get' | 'set'; readonly payload: XmlElement },
): void {
  const { key, type, payload } = request
  const place = scope.entity === host ? '' : Buffer.from(scope.entity).toString('base64url')
  const attrs = { xmlns: NS_CLIENT, type, id: `${key}.${place}`, from: host, to: component }
  scope.send(iqRequest(attrs, payload))
}

/** Longest id of a request that is kept for its answer. */
const longestId = 1_024

/** The id under which a request is answered later. @throws {StanzaError} for one that is too long to be kept */
export function keptId({ id = '' }: Stanza): string {
  if (id.length > longestId) throw new StanzaError('policy-violation', 'the id is too long')
  return id
}

/** A key that nobody guesses. */
export function makeKey(scope: Scope): string {
  return Buffer.from(scope.random(12)).toString('base64url')
}

/** What came for this entity: the key that it asked under. Undefined for what is passed on, or was never asked for. */
export function answeredKey(
  components: ComponentDirectory,
  scope: Scope,
  from: Jid,
  answer: Stanza,
): string | undefined {
  const [key, place = ''] = answer.id?.split('.') ?? []
  if (scope.entity !== scope.host.name) return key
  const component = managerAt(components, scope, from)
  if (!component) return undefined
  if (place === '') return key
  const entity = tryParseJid(Buffer.from(place, 'base64url').toString())
  if (entity && isBare(entity) && entity !== scope.entity && scope.serves(domainpart(entity)))
    scope.send(answer.with({ from: `${scope.entity}/${component.domain}`, to: entity }))
  return undefined
}

function managerAt(components: ComponentDirectory, scope: Scope, from: Jid): Component | undefined {
  const component = components.get(from)
  const isManaging = component?.host === scope.host.name && component.delegations !== undefined
  return isManaging ? component : undefined
}

/** Whether this is who was asked, by way of the host or to the host itself. */
export function isAnswerOf({ host, component }: Asked, scope: Scope, from: Jid): boolean {
  return from === (scope.entity === host ? component : `${host}/${component}`)
}

/** The request as far as its answer needs it. */
export function requestOf({ from, to, id }: Forwarded, type = 'get'): Stanza {
  return Stanza.from(xml('iq', { xmlns: NS_CLIENT, type, id, from, to }))
}

/** Tells who asked that nothing came of it. */
export function refuse(scope: Scope, request: Forwarded): void {
  const error = errorReply(requestOf(request), new StanzaError('service-unavailable'))
  if (error) reply(scope, error)
}

/** To who asked: one of the account's own resources, or somebody elsewhere. A resource that has gone needs no answer. */
export function reply(scope: Scope, answer: Stanza): void {
  const to = tryParseJid(answer.to ?? '')
  if (!to) return
  const resource = resourcepart(to)
  if (bare(to) !== scope.entity || resource === undefined)
    return scope.send(answer.from === undefined ? answer.with({ from: scope.entity }) : answer)
  const session = scope.session(resource)
  if (session) scope.deliver(session, answer)
}
