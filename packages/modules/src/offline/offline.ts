import { defineModule, type XmppModule, xep } from '@tactus/core'
import { mailboxStore } from '@tactus/storage'
import { z } from 'zod'
import { deliverPortion, isReachable } from './delivery.ts'
import { admit, recount, waitingStore } from './flood.ts'

const nextPortion = 'offline-portion'

/**
 * Offline messages: what came while nobody was there, handed over when somebody is.
 *
 * That they wait at all is the core's doing (design §3.6): every message has a row until a client acknowledged it. Here
 * are the limits, the hand-over and the stamps.
 *
 * @see {@link https://xmpp.org/extensions/xep-0160.html | XEP-0160}
 */
export const offline: XmppModule = defineModule({
  name: 'offline',
  implements: [
    xep('0160', '1.0.1', {
      note: 'XEP-0013 is left out: it is deprecated, the archive says the same better, and what nobody fetched would stand between the mailbox and the promise that a message waits once.',
    }),
    xep('0203', '2.0', {
      note: 'Also of messages that are sent again after a resumption (XEP-0198 §5).',
    }),
  ],
  // §4: the feature has no namespace, but this name.
  features: { domain: ['msgoffline'], account: ['msgoffline'] },
  stores: [mailboxStore, waitingStore],
  config: z.strictObject({
    messages: z.int().min(0).default(1_000).meta({
      description: 'Most messages that wait for an account.',
    }),
    bytes: z.int().min(0).default(5_242_880).meta({
      description: 'Most bytes of messages that wait for an account.',
    }),
  }),

  setup({ hooks, config }) {
    hooks.decide('message.may-wait', ({ scope, message }) => {
      admit(scope, message, config(scope.host))
    })

    hooks.on('presence.changed', ({ scope, session, before, after }) => {
      if (!isReachable({ presence: after })) return void scope.setCatchingUp(session, false)
      if (isReachable({ presence: before })) return
      recount(scope)
      scope.setCatchingUp(session, deliverPortion(scope, session))
    })

    // What was acknowledged in this turn is out of the mailbox only after it: the next portion is an input of its own.
    hooks.on('session.drained', ({ scope, session }) => {
      if (session.catchingUp) scope.timer(`${nextPortion} ${session.id}`, scope.now, session.id)
    })
    hooks.timer(nextPortion, ({ scope, data }) => {
      const session = scope.sessions().find(({ id }) => id === data)
      if (!session?.catchingUp) return
      recount(scope)
      scope.setCatchingUp(session, deliverPortion(scope, session))
    })
  },
})
