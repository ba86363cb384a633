import {
  changesSince,
  covers,
  deferred,
  defineModule,
  describeItem,
  type IqAnswer,
  type IqRequest,
  isListed,
  itemElement,
  listedItems,
  permissionsOf,
  pushTo,
  removeContact,
  requireOwn,
  rosterOf,
  rosterQuery,
  type Scope,
  saveRoster,
  type XmppModule,
  xep,
} from '@tactus/core'
import { bare } from '@tactus/jid'
import { iqResult, NS_ROSTER, StanzaError } from '@tactus/stanza'
import { accountStore, rosterStore } from '@tactus/storage'
import { z } from 'zod'
import { readItem, readVersion } from './wire.ts'

const config = z.strictObject({
  items: z.int().positive().default(1_000).meta({ description: 'Most contacts of an account.' }),
  groups: z.int().min(0).default(20).meta({ description: 'Most groups that one contact is in.' }),
  nameBytes: z.int().positive().default(1_023).meta({
    description: 'Longest name of a contact or a group, in bytes of UTF-8.',
  }),
})
type RosterConfig = z.output<typeof config>

/**
 * Roster: the contacts of an account, kept by its server, the same on every device.
 *
 * The subscriptions behind the items are the presence module's; both work on the rules in the core.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6121#section-2 | RFC 6121 §2}
 */
export const roster: XmppModule = defineModule({
  name: 'roster',
  implements: [xep('0237', '1.3')],
  features: { account: [NS_ROSTER] },
  stores: [rosterStore],
  config,

  setup({ iq, hooks, config, components }) {
    /** The account itself, and entities that may by configuration (XEP-0356 §4.3). */
    const requireAccess = (request: IqRequest): void => {
      const permissions = permissionsOf(components, request.from, request.host.name)
      if (permissions === undefined) return requireOwn(request)
      if (!covers(permissions.roster, request.stanza.type)) throw new StanzaError('forbidden')
    }

    iq.get('account', NS_ROSTER, 'query', (request) => {
      requireAccess(request)
      return answerRoster(request)
    })

    iq.set('account', NS_ROSTER, 'query', (request) => {
      requireAccess(request)
      if (request.host.anonymous) throw new StanzaError('not-allowed')
      changeItem(request, config(request.host))
      return undefined
    })

    // SECURITY: clients exist that take a roster push, or an answer to their own request, from anybody (§2.1.6 forbids
    // it), so none gets through.
    hooks.decide('stanza.may-receive', ({ scope, from, stanza }) => {
      if (permissionsOf(components, from, scope.host.name)) return
      const isRoster = stanza.name === 'iq' && (stanza.type === 'set' || stanza.type === 'result')
      if (isRoster && bare(from) !== scope.entity && stanza.hasChild('query', NS_ROSTER))
        throw new StanzaError('service-unavailable')
    })

    hooks.on('account.deleted', ({ scope }) => scope.set(rosterStore, '', undefined))
  },
})

/** §2.2, and §2.6 for a client that kept what it got the last time. */
function answerRoster({ scope, stanza, payload, session }: IqRequest): IqAnswer {
  const roster = rosterOf(scope)
  if (session) scope.setInterested(session)
  const known = readVersion(payload)
  const since = scope.get(accountStore)?.createdAt ?? 0
  const changes = known === undefined ? undefined : changesSince(roster, known, since)
  if (!changes || !session) return rosterQuery(roster.version, listedItems(roster).map(itemElement))
  // §2.6.3: the empty result says that pushes follow, so it goes first.
  scope.deliver(session, iqResult(stanza))
  for (const change of changes) pushTo(scope, [session], change)
  return deferred
}

function changeItem({ scope, payload }: IqRequest, limits: RosterConfig): void {
  const request = readItem(payload, limits)
  const roster = rosterOf(scope)
  const known = roster.items.get(request.jid)
  const listed = known !== undefined && isListed(known)
  if (request.remove) {
    // §2.5.3
    if (!known || !listed) throw new StanzaError('item-not-found')
    removeContact(scope, known)
    return
  }
  // §2.3.3
  if (request.jid === scope.entity) throw new StanzaError('not-allowed')
  if (!listed) requireRoom(scope, limits.items)
  saveRoster(scope, request.jid, describeItem(roster, request, scope.now))
}

function requireRoom(scope: Scope, items: number): void {
  if (listedItems(rosterOf(scope)).length >= items)
    throw new StanzaError('policy-violation', `A roster may have ${items} contacts.`)
}
