import {
  counter,
  defineModule,
  type IqRequest,
  requireOwn,
  type XmppModule,
  xep,
} from '@tactus/core'
import { StanzaError } from '@tactus/stanza'
import { z } from 'zod'
import { addNode, nodeStore, nodesOf, type PushNode, removeNodes } from './nodes.ts'
import { Notifier, notifyTimer, pendingStore } from './notifier.ts'
import { NS_PUSH, readAddress, readOptions } from './wire.ts'

/**
 * Push notifications: wakes a device that is not there when something comes that matters.
 *
 * A node belongs to the resource that enabled it. What comes while that one is away is counted and told, in the account's
 * name: at once, then not again before `interval`, with one request under way. Notifying may be repeated, as when a
 * router dies before it has the answer, but is not left out, unless Redis is lost; messages are not concerned by either.
 *
 * @see {@link https://xmpp.org/extensions/xep-0357.html | XEP-0357}
 */
export const push: XmppModule = defineModule({
  name: 'push',
  implements: [
    xep('0357', '0.4.1', {
      status: 'partial',
      note: 'Notifications come from the account’s bare JID, never from the host. Subscription requests are not told. A node that was disabled by errors is not tried again by itself (§7.1, a MAY): the client enables it at its next log-in.',
    }),
  ],
  features: { account: [NS_PUSH] },
  stores: [nodeStore, pendingStore],
  migrations: [nodeStore.migration('0130-push')],
  metrics: {
    notifications: counter('Notifications to push services, by what became of them.', {
      outcome: ['sent', 'confirmed', 'failed', 'disabled'],
    }),
  },
  config: z.strictObject({
    nodes: z.int().positive().default(20).meta({
      description: 'Most nodes that an account enables; beyond, the oldest makes way.',
    }),
    optionBytes: z.int().min(0).default(4_096).meta({
      description: 'Most bytes of the publish options of a node.',
    }),
    sender: z.boolean().default(false).meta({
      description:
        'Whether push services, which are third parties, are told who sent the last message.',
    }),
    body: z.boolean().default(false).meta({
      description: 'Whether they are told what it says, where it is not encrypted.',
    }),
    otherDevices: z.boolean().default(true).meta({
      description:
        'Whether a device that is away is woken while another one of the account is there.',
    }),
    rooms: z.boolean().default(true).meta({
      description:
        'Whether a device is woken for messages of rooms that it is in; for those that mention its account by address it always is.',
    }),
    interval: z.int().min(1).default(10).meta({
      description: 'Seconds from one notification of a node to the next; calls do not wait.',
    }),
    patience: z.int().min(1).default(30).meta({
      description: 'Seconds in which a push service has to answer.',
    }),
    pause: z.int().min(1).default(30).meta({
      description:
        'Seconds from a failure to the next attempt; twice as many after each failure in a row, up to an hour.',
    }),
    attempts: z.int().min(1).default(24).meta({
      description: 'Failures in a row after which a node is disabled.',
    }),
  }),

  setup({ iq, hooks, config, metrics, log }) {
    const notifier = new Notifier({
      settings: ({ host }) => config(host),
      count: (outcome) => metrics.notifications.with({ outcome }).inc(),
      disabled: (service, reason) => log.info('push_node_disabled', { service, reason }),
    })

    iq.set('account', NS_PUSH, 'enable', (request) => {
      requireOwn(request)
      const { scope, host } = request
      const { nodes, optionBytes } = config(host)
      for (const gone of addNode(scope, readNode(request, optionBytes), nodes))
        notifier.forget(scope, gone)
      return undefined
    })

    iq.set('account', NS_PUSH, 'disable', (request) => {
      requireOwn(request)
      const { scope, payload } = request
      for (const gone of removeNodes(scope, readAddress(payload))) notifier.forget(scope, gone)
      return undefined
    })

    hooks.on('message.received', ({ scope, message, reached }) =>
      notifier.received(scope, message, reached),
    )
    hooks.on('session.hibernated', ({ scope, session }) => notifier.lost(scope, session))
    hooks.on('session.bound', ({ scope, session }) => notifier.returned(scope, session))
    hooks.on('session.resumed', ({ scope, session }) => notifier.returned(scope, session))
    hooks.on('iq.answered', ({ scope, from, answer }) => notifier.answered(scope, from, answer))
    hooks.timer(notifyTimer, ({ scope, data }) => notifier.due(scope, data))

    hooks.on('account.deleted', ({ scope }) => {
      for (const node of nodesOf(scope)) notifier.forget(scope, node)
      scope.set(nodeStore, '', undefined)
    })
  },
})

/** What `<enable/>` asks for (§5). @throws {StanzaError} */
function readNode(request: IqRequest, optionBytes: number): PushNode {
  const { scope, payload, session, host } = request
  // A guest's account is gone when the guest is.
  if (!session || host.anonymous) throw new StanzaError('service-unavailable')
  const { service, node = '' } = readAddress(payload)
  const options = readOptions(payload, optionBytes)
  const id = Buffer.from(scope.random(9)).toString('base64url')
  return { id, service, node, options, resource: session.resource }
}
