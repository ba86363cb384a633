import {
  covers,
  deferred,
  defineModule,
  type IqAnswer,
  type IqRequest,
  isListed,
  itemElement,
  liveStore,
  permissionsOf,
  rosterOf,
  rosterQuery,
  type Scope,
  type Session,
  type XmppModule,
  xep,
} from '@tactus/core'
import { type BareJid, bare, domainpart, isBare, type Jid, tryParseJid } from '@tactus/jid'
import { errorReply, iqRequest, iqResult, NS_CLIENT, StanzaError } from '@tactus/stanza'
import { Stanza, xml } from '@tactus/xml'
import { answeredElement, forwardedMessage, NS_PRIVILEGE, readPrivilegedIq } from './wire.ts'

/** Requests in one account's name that wait for their answers; more are refused. */
const mostPending = 100
const patience = 300_000
const timer = 'privileged-iq'

/** A request in the account's name that waits for its answer. */
interface Pending {
  /** The privileged entity's request, without what it asked. */
  readonly entity: string
  readonly outerId: string
  readonly outerType: string
  readonly innerId: string
  /** Who is to answer. */
  readonly to: string
}

const pendingStore = liveStore<Pending>('privileged-iq')

/**
 * Privileged Entity: components that may, by configuration, work on rosters, hear of presence, and send messages and
 * requests in the name of their host and its accounts. What they are told of it at first is the connection manager's.
 *
 * @see {@link https://xmpp.org/extensions/xep-0356.html | XEP-0356}
 */
export const privileges: XmppModule = defineModule({
  name: 'privileges',
  implements: [
    xep('0356', '0.4.1', {
      status: 'partial',
      note: 'Components of the configuration only. No presence of contacts (§7.4, type `roster`), and of accounts only what changes while the component is there: who was available before it came is not told (§8, rule 1). What a roster is opened for is the operator’s to say: XEP-0321, where the account says it in answer to a form that has yes for its default, is not there (a namespace that was meant for a while, deferred since).',
    }),
  ],
  stores: [pendingStore],

  setup({ iq, hooks, components }) {
    const privileged = (scope: Scope) =>
      components.list().filter(({ host }) => host === scope.host.name)

    // §4.4: whoever may read rosters is told of their changes.
    hooks.on('roster.changed', ({ scope, contact }) => {
      for (const { domain, permissions } of privileged(scope))
        if (permissions?.push && covers(permissions.roster, 'get'))
          scope.send(rosterPush(scope, contact, domain as BareJid))
    })

    // §7.1: initial presence and the last word, nothing in between.
    const tell = (scope: Scope, presence: Stanza): void => {
      for (const { domain, permissions } of privileged(scope))
        if (permissions?.presence === 'managed_entity') scope.send(presence.with({ to: domain }))
    }
    hooks.on('presence.changed', ({ scope, session, before, after, unavailable }) => {
      if (session.invisible) return
      if (after && !before) tell(scope, after.stanza)
      if (before && !after) tell(scope, unavailable ?? farewell(session))
    })
    hooks.on('session.ended', ({ scope, session, presence }) => {
      if (presence && !session.invisible) tell(scope, farewell(session))
    })

    hooks.claim('message.to-host', ({ scope, from, message }) => {
      const inner = forwardedMessage(message)
      if (!inner) throw new StanzaError('service-unavailable')
      const permissions = permissionsOf(components, from, scope.host.name)
      if (permissions?.message !== 'outgoing') throw new StanzaError('forbidden')
      scope.send(inner.with({ from: requireManaged(scope, inner.from) }))
    })

    const ask = (request: IqRequest): IqAnswer => {
      const { scope, from, host, payload, stanza } = request
      const permissions = permissionsOf(components, from, host.name)
      // Nobody else is told that there is such a thing.
      if (!permissions) throw new StanzaError('service-unavailable')
      const inner = readPrivilegedIq(payload, scope.entity, stanza.type ?? '')
      if (!covers(permissions.iq[inner.ns], stanza.type)) throw new StanzaError('forbidden')
      sendInName(scope, request, inner.stanza)
      return deferred
    }
    iq.get('account', NS_PRIVILEGE, 'privileged_iq', ask)
    iq.set('account', NS_PRIVILEGE, 'privileged_iq', ask)
    hooks.on('iq.answered', ({ scope, from, answer }) => takeAnswer(scope, from, answer))
    hooks.timer(timer, ({ scope, data }) => giveUp(scope, data))
  },
})

function rosterPush(scope: Scope, contact: BareJid, to: BareJid): Stanza {
  const { items, version } = rosterOf(scope)
  const item = items.get(contact)
  const element =
    item && isListed(item)
      ? itemElement(item)
      : xml('item', { jid: contact, subscription: 'remove' })
  const attrs = { xmlns: NS_CLIENT, type: 'set', id: scope.makeId() } as const
  return iqRequest(attrs, rosterQuery(version, [element])).with({ from: scope.entity, to })
}

function farewell({ jid }: Session): Stanza {
  return Stanza.from(xml('presence', { xmlns: NS_CLIENT, type: 'unavailable', from: jid }))
}

/** §5.1: the host itself, or the bare JID of one of its accounts. @throws {StanzaError} `forbidden` */
function requireManaged(scope: Scope, from: string | undefined): Jid {
  const jid = from === undefined ? undefined : tryParseJid(from)
  if (!jid || !isBare(jid) || domainpart(jid) !== scope.host.name)
    throw new StanzaError('forbidden', 'it may speak for its host and the accounts of it')
  return jid
}

/** §6.3: the request goes out as the account's own, under an id that nobody can guess the answer to. */
function sendInName(scope: Scope, { from, stanza }: IqRequest, inner: Stanza): void {
  if (scope.all(pendingStore).size >= mostPending) throw new StanzaError('resource-constraint')
  const to = inner.to === undefined ? scope.entity : tryParseJid(inner.to)
  if (!to) throw new StanzaError('jid-malformed')
  const id = Buffer.from(scope.random(12)).toString('base64url')
  scope.set(pendingStore, id, {
    entity: from,
    outerId: stanza.id ?? '',
    outerType: stanza.type ?? '',
    innerId: inner.id ?? '',
    to,
  })
  scope.timer(`${timer} ${id}`, scope.now + patience, id)
  scope.send(inner.with({ from: scope.entity, to, id }))
}

function takeAnswer(scope: Scope, from: Jid, answer: Stanza): void {
  const pending = answer.id === undefined ? undefined : scope.get(pendingStore, answer.id)
  if (!pending || (from !== pending.to && bare(from) !== pending.to)) return
  forget(scope, answer.id ?? '')
  const told = answeredElement(answer.with({ id: pending.innerId }))
  scope.send(iqResult(requestOf(scope, pending), told))
}

function giveUp(scope: Scope, id: string): void {
  const pending = scope.get(pendingStore, id)
  if (!pending) return
  forget(scope, id)
  const error = errorReply(requestOf(scope, pending), new StanzaError('remote-server-timeout'))
  if (error) scope.send(error)
}

function forget(scope: Scope, id: string): void {
  scope.set(pendingStore, id, undefined)
  scope.timer(`${timer} ${id}`, undefined)
}

function requestOf(scope: Scope, { entity, outerId, outerType }: Pending): Stanza {
  const attrs = { type: outerType, id: outerId, from: entity, to: scope.entity }
  return Stanza.from(xml('iq', { xmlns: NS_CLIENT, ...attrs }))
}
