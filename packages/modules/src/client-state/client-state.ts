import { counter, defineModule, type XmppModule, xep } from '@tactus/core'
import { z } from 'zod'
import { classify } from './traffic.ts'

/**
 * Client state indication: a client that nobody looks at is not woken for what can wait.
 *
 * Connection managers tell the account's owner what a client says of itself; there, before a stanza has a number in the
 * session's queue, it is held back or goes out. What goes out takes along all that was held back, in order; so does
 * whatever the client sends, and its being active again. Held back is live state, as the queue is.
 *
 * @see {@link https://xmpp.org/extensions/xep-0352.html | XEP-0352}
 */
export const clientState: XmppModule = defineModule({
  name: 'client-state',
  implements: [
    xep('0352', '1.0.0', {
      status: 'partial',
      note: 'Operators can bound what is held back and turn it off; accounts have no choice of their own (§3.2, a MAY).',
    }),
    xep('0286', '1.0.0'),
  ],
  metrics: {
    stanzas: counter('Stanzas on their way to inactive clients, by whether they could wait.', {
      class: ['waiting', 'urgent'],
    }),
  },
  config: z.strictObject({
    stanzas: z.int().min(0).default(100).meta({
      description:
        'Most stanzas held back from one inactive client; all of them are delivered when there is no room for another. 0: none.',
    }),
    bytes: z.int().min(0).default(65_536).meta({
      description: 'Most bytes held back from one inactive client.',
    }),
  }),

  setup({ hooks, config, metrics }) {
    hooks.claim('delivery.inactive', ({ scope, session, stanza, wait }) => {
      const traffic = classify(stanza, session.jid)
      metrics.stanzas.with({ class: traffic.mayWait ? 'waiting' : 'urgent' }).inc()
      if (traffic.mayWait) wait({ about: traffic.about, limits: config(scope.host) })
    })
  },
})
