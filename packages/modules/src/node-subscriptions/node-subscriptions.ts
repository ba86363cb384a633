import {
  deferred,
  defineModule,
  type IqAnswer,
  type IqRequest,
  isRefusal,
  requireOwn,
  type Scope,
  type XmppModule,
  xep,
} from '@tactus/core'
import type { Jid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { z } from 'zod'
import { followedNode } from './followed.ts'
import { listStore, subscriptionsOf, takeDown, versionOf } from './list.ts'
import { ask, askedStore, givePatienceUp, patienceTimer, takeAnswer } from './requests.ts'
import { listElement, NS_PAM, readNews, readRequest, serviceRequest } from './wire.ts'

/**
 * Pubsub Account Management: an account’s server subscribes to nodes for it, and keeps the list for all of its devices.
 *
 * What a service answers, or says later of a subscription that is on the list, changes the list and is told to the
 * devices in one step; so it matters to nobody what dies meanwhile.
 *
 * @see {@link https://xmpp.org/extensions/xep-0376.html | XEP-0376}
 */
export const nodeSubscriptions: XmppModule = defineModule({
  name: 'node-subscriptions',
  implements: [
    xep('0376', '0.2', {
      status: 'partial',
      note: 'As far as its text says what to do: subscribing, unsubscribing, the list, and telling devices, which is every available resource. Automatic subscriptions, filters and archives (§4.5 to §4.7) are questions there. Clients that know the version get an empty result where it is the current one, else the whole list.',
    }),
  ],
  features: { account: [NS_PAM] },
  stores: [listStore, askedStore],
  migrations: [listStore.migration('0160-node-subscriptions')],
  config: z.strictObject({
    subscriptions: z.int().min(0).default(500).meta({
      description: 'Most subscriptions to nodes that are kept for an account.',
    }),
    bytes: z.int().positive().default(131_072).meta({
      description: 'Most bytes that the list of them has, in JSON.',
    }),
    requests: z.int().positive().default(20).meta({
      description: 'Most requests to services that an account waits for at once.',
    }),
    patience: z.int().min(1).default(60).meta({
      description:
        'Seconds in which a service has to answer, until the client is told that it does not.',
    }),
  }),

  setup({ iq, hooks, config, pubsub }) {
    pubsub.type(followedNode)

    // COMPAT(Libervia 0.9): it asks the host.
    for (const target of ['account', 'domain'] as const)
      iq.set(target, NS_PAM, 'pam', (request) => {
        const { scope, stanza, payload, host } = request
        const session = requireDevice(request)
        const asker = { session, id: stanza.id ?? '', to: stanza.to }
        ask(scope, readRequest(payload, scope.entity), { asker, limits: config(host) })
        return deferred
      })

    iq.get('account', NS_PAM, 'subscriptions', answerList)

    hooks.on('iq.answered', ({ scope, from, answer }) =>
      takeAnswer(scope, from, answer, pubsub.nodes()),
    )
    hooks.timer(patienceTimer, ({ scope, data }) => givePatienceUp(scope, data))

    // Here, because a message for an account that is not there goes no further. SECURITY: nobody adds to the list by it.
    hooks.decide(
      'stanza.may-receive',
      ({ scope, from, stanza }) => {
        const news =
          stanza.name === 'message' && stanza.type !== 'error' ? readNews(stanza) : undefined
        const isListed = ({ service, node }: { readonly service: string; readonly node: string }) =>
          service === from && node === news?.node
        if (news && subscriptionsOf(scope).some(isListed))
          takeDown(scope, from, news, pubsub.nodes())
      },
      { after: ['blocking', 'privacy'] },
    )

    hooks.on('account.deleted', ({ scope }) => {
      // Else who is next to have the address gets what it never asked for.
      leaveAll(scope)
      scope.set(listStore, '', undefined)
    })
  },
})

/** The session of who asks. A guest keeps no list: nothing of it outlives the visit. @throws {StanzaError} */
function requireDevice(request: IqRequest): string {
  requireOwn(request)
  if (!request.session) throw new StanzaError('service-unavailable')
  if (request.host.anonymous) throw new StanzaError('not-allowed')
  return request.session.id
}

/** Ends all subscriptions, whatever the services say to that. */
function leaveAll(scope: Scope): void {
  for (const { service, node, subid } of subscriptionsOf(scope)) {
    const request = { action: 'unsubscribe', service: service as Jid, node, subid } as const
    try {
      scope.send(serviceRequest(request, scope.entity, scope.makeId()), { durable: true })
    } catch (error) {
      // No way leads there any more.
      if (!isRefusal(error)) throw error
    }
  }
}

/** §3.3 */
function answerList(request: IqRequest): IqAnswer {
  requireOwn(request)
  const { scope, payload } = request
  const version = versionOf(scope)
  if (version !== undefined && payload.attrs.ver === version) return undefined
  return listElement(subscriptionsOf(scope), scope.entity, version)
}
