import {
  deferred,
  defineModule,
  type IqRequest,
  requireOwn,
  type Scope,
  type Session,
  SilentRefusal,
  type XmppModule,
  xep,
} from '@tactus/core'
import { tryParseJid } from '@tactus/jid'
import { iqRequest, iqResult, NS_CLIENT, StanzaError } from '@tactus/stanza'
import { blockListStore } from '@tactus/storage'
import type { Stanza, XmlElement } from '@tactus/xml'
import { z } from 'zod'
import { reportCommands } from './commands.ts'
import { block, blockListOf, isBlocked, report, unblock } from './edit.ts'
import { blockingMigration, reportStore } from './store.ts'
import { blockedError, itemsElement, NS_BLOCKING, NS_REPORTING, readItems } from './wire.ts'

/**
 * Blocking Command: an account shuts somebody out, and to them it looks as if nobody were there.
 *
 * @see {@link https://xmpp.org/extensions/xep-0191.html | XEP-0191}
 * @see {@link https://xmpp.org/extensions/xep-0377.html | XEP-0377}
 */
export const blocking: XmppModule = defineModule({
  name: 'blocking',
  implements: [
    xep('0191', '1.3', {
      status: 'partial',
      note: 'What was said before the block and still waits, messages and subscription requests, is handed over. Who blocks a contact’s one resource still sends the contact its presence.',
    }),
    xep('0377', '0.4.1', {
      status: 'partial',
      note: 'Reports are kept for the operators of the reporter’s host and forwarded to nobody.',
    }),
  ],
  features: {
    account: [NS_BLOCKING, NS_REPORTING],
    domain: [NS_BLOCKING, NS_REPORTING],
  },
  session: z.object({ asked: z.boolean().default(false) }),
  stores: [blockListStore, reportStore],
  migrations: [blockingMigration],
  commands: reportCommands,
  config: z.strictObject({
    addresses: z.int().min(0).default(1_000).meta({
      description: 'Most addresses that an account blocks.',
    }),
    reports: z.int().positive().default(100).meta({
      description: 'Most reports that are kept of an account; beyond, its oldest make way.',
    }),
  }),

  setup({ iq, hooks, session, config }) {
    iq.get('account', NS_BLOCKING, 'blocklist', (request) => {
      requireOwn(request)
      const { scope, session: asking } = request
      if (asking) session.update(scope, asking, { asked: true })
      return itemsElement('blocklist', blockListOf(scope))
    })

    const hasAsked = (scope: Scope) => (other: Session) => session.get(scope, other).asked
    const tellThoseThatAsked = (scope: Scope, push: XmlElement): void => {
      const iqPush = iqRequest({ xmlns: NS_CLIENT, type: 'set', id: scope.makeId() }, push)
      for (const other of scope.sessions().filter(hasAsked(scope)))
        scope.deliver(other, iqPush, { to: other.jid })
    }
    // §3.3: first the result, then the push to all that know the list, the one that changed it among them.
    const answer = ({ scope, stanza, session: asking }: IqRequest): void => {
      if (asking) scope.deliver(asking, iqResult(stanza))
    }

    iq.set('account', NS_BLOCKING, 'block', (request) => {
      const items = itemsOf(request)
      if (items.length === 0) throw new StanzaError('bad-request', 'a block needs an item')
      const { addresses, reports } = config(request.host)
      answer(request)
      block(request.scope, items, addresses)
      report(request.scope, items, reports)
      tellThoseThatAsked(request.scope, itemsElement('block', addressesOf(items)))
      return deferred
    })

    iq.set('account', NS_BLOCKING, 'unblock', (request) => {
      const items = itemsOf(request)
      answer(request)
      unblock(request.scope, items)
      tellThoseThatAsked(request.scope, itemsElement('unblock', addressesOf(items)))
      return deferred
    })

    // §5: a client that uses privacy lists changed the list by its other view.
    hooks.on('addresses.blocked', ({ scope, addresses, by }) => {
      if (by !== 'blocking') tellThoseThatAsked(scope, itemsElement('block', addresses))
    })
    hooks.on('addresses.unblocked', ({ scope, addresses, by }) => {
      if (by !== 'blocking') tellThoseThatAsked(scope, itemsElement('unblock', addresses))
    })

    hooks.decide('stanza.may-send', ({ scope, stanza }) => {
      const to = stanza.to === undefined ? undefined : tryParseJid(stanza.to)
      if (to && isBlocked(scope, to)) throw blockedError()
    })
    hooks.decide('stanza.may-receive', ({ scope, from, stanza }) => {
      if (isBlocked(scope, from)) throw refusal(stanza)
    })
    hooks.decide('recipient.may-hear', ({ scope, to }) => {
      if (isBlocked(scope, to)) throw new SilentRefusal()
    })

    hooks.on('account.deleted', ({ scope }) => {
      scope.set(blockListStore, '', undefined)
      scope.set(reportStore, '', undefined)
    })
  },
})

/** The items of a request of the account itself. A guest keeps no list: nothing of it outlives the visit. */
function itemsOf(request: IqRequest): ReturnType<typeof readItems> {
  requireOwn(request)
  if (request.host.anonymous) throw new StanzaError('not-allowed')
  return readItems(request.payload)
}

function addressesOf(items: ReturnType<typeof readItems>): readonly string[] {
  return items.map(({ jid }) => jid)
}

/**
 * What somebody gets who is blocked (§3.3): what an account says where nobody is.
 *
 * A room would take an error for a sign that its occupant is gone, because of somebody else whom the occupant blocked.
 */
function refusal(stanza: Stanza): Error {
  const isSilent = stanza.name === 'presence' || stanza.type === 'groupchat'
  return isSilent ? new SilentRefusal() : new StanzaError('service-unavailable')
}
