import {
  deferred,
  defineModule,
  requireOwn,
  type Scope,
  type Session,
  type XmppModule,
  xep,
} from '@tactus/core'
import { iqRequest, iqResult, NS_CLIENT, StanzaError } from '@tactus/stanza'
import { blockListStore, rosterStore } from '@tactus/storage'
import { z } from 'zod'
import { type Asking, chooseActive, chooseDefault, editList, requireList } from './edit.ts'
import { decideGetting, decideHearing, decideReceiving, decideSending } from './enforcement.ts'
import { type ActiveLists, blockListName, defaultName, listNames } from './lists.ts'
import { privacyMigration, privacyStore } from './store.ts'
import { listElement, NS_PRIVACY, namesElement, readChange, readQuery } from './wire.ts'

/**
 * Privacy Lists: what old clients know instead of the blocking command, over the same block list.
 *
 * The rules at the head of the default list that deny an address everything are the account's block list (XEP-0191 §5);
 * the blocking module enforces those, this one the rest.
 *
 * @see {@link https://xmpp.org/extensions/xep-0016.html | XEP-0016}
 */
export const privacy: XmppModule = defineModule({
  name: 'privacy',
  requires: ['blocking'],
  implements: [
    xep('0016', '1.7', {
      status: 'partial',
      note: 'The block list holds under every active list. Of the default list only the addresses that it denies everything before any other rule are the block list (XEP-0191 §5), and their order is the server’s. A block by XEP-0191 is pushed only to resources that asked for lists. A contact whose presence is no longer let in is not shown as gone (SHOULD of §2.10). What waits in the mailbox was let in when it came.',
    }),
  ],
  features: { account: [NS_PRIVACY], domain: [NS_PRIVACY] },
  session: z.object({ active: z.string().optional(), asked: z.boolean().default(false) }),
  stores: [privacyStore, blockListStore, rosterStore],
  migrations: [privacyMigration],
  config: z.strictObject({
    lists: z.int().positive().default(20).meta({ description: 'Most lists of an account.' }),
    bytes: z.int().positive().default(65_536).meta({
      description: 'Most bytes that all rules of an account take.',
    }),
  }),

  setup({ iq, hooks, session, config }) {
    const active: ActiveLists = {
      of: (scope, of) => session.get(scope, of).active,
      set(scope, of, name) {
        if (name !== session.get(scope, of).active) session.update(scope, of, { active: name })
      },
    }

    iq.get('account', NS_PRIVACY, 'query', (request) => {
      requireOwn(request)
      const { scope, session: asking } = request
      if (asking) session.update(scope, asking, { asked: true })
      const name = readQuery(request.payload)
      if (name !== undefined) return listElement(name, requireList(scope, name))
      return namesElement({
        active: asking && active.of(scope, asking),
        byDefault: defaultName(scope),
        names: listNames(scope),
      })
    })

    iq.set('account', NS_PRIVACY, 'query', (request) => {
      requireOwn(request)
      const { scope, stanza, session: resource } = request
      if (!resource) throw new StanzaError('bad-request')
      session.update(scope, resource, { asked: true })
      const asking: Asking = { scope, session: resource, active }
      const change = readChange(request.payload)
      // A guest keeps no list: nothing of it outlives the visit.
      if (request.host.anonymous) throw new StanzaError('not-allowed')
      // The result, then what comes of the change: pushes of lists (§2.6), of the block list (XEP-0191 §3.3).
      scope.deliver(resource, iqResult(stanza))
      if (change.what === 'list') {
        editList(asking, change, config(request.host))
        push(scope, change.name, scope.sessions())
      } else if (change.what === 'active') chooseActive(asking, change)
      else chooseDefault(asking, change)
      return deferred
    })

    const pushDefault = ({ scope, by }: { readonly scope: Scope; readonly by: string }): void => {
      if (by === 'privacy') return
      const asked = scope.sessions().filter((other) => session.get(scope, other).asked)
      push(scope, blockListName(scope), asked)
    }
    hooks.on('addresses.blocked', pushDefault)
    hooks.on('addresses.unblocked', pushDefault)

    hooks.decide('stanza.may-send', (event) => decideSending(event, active))
    hooks.decide('stanza.may-receive', (event) => decideReceiving(event, active))
    hooks.decide('resource.may-get', (event) => decideGetting(event, active))
    hooks.decide('recipient.may-hear', (event) => decideHearing(event, active))
    hooks.on('account.deleted', ({ scope }) => scope.set(privacyStore, '', undefined))
  },
})

/** §2.2: says that a list changed; who is interested asks for it. */
function push(scope: Scope, name: string, to: readonly Session[]): void {
  const attrs = { xmlns: NS_CLIENT, type: 'set', id: scope.makeId() } as const
  const iqPush = iqRequest(attrs, listElement(name))
  for (const session of to) scope.deliver(session, iqPush, { to: session.jid })
}
