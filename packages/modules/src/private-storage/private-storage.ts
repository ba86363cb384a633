import { defineModule, requireOwn, type XmppModule, xep } from '@tactus/core'
import { StanzaError } from '@tactus/stanza'
import { parseElement, serialize } from '@tactus/xml'
import { z } from 'zod'
import { fragmentStore, storeFragment } from './store.ts'
import { fragmentAnswer, fragmentKey, NS_PRIVATE, readFragments, readRequest } from './wire.ts'

/**
 * Private XML Storage: a drawer for whatever an account's own clients want to find again, on every device.
 *
 * @see {@link https://xmpp.org/extensions/xep-0049.html | XEP-0049}
 */
export const privateStorage: XmppModule = defineModule({
  name: 'private-storage',
  implements: [xep('0049', '1.2')],
  features: { account: [NS_PRIVATE] },
  stores: [fragmentStore],
  migrations: [fragmentStore.migration('0101-private-storage')],
  config: z.strictObject({
    fragmentBytes: z.int().positive().default(65_536).meta({
      description: 'Largest fragment that is stored, in bytes of UTF-8.',
    }),
    fragments: z.int().positive().default(100).meta({
      description: 'Most fragments of an account.',
    }),
  }),

  setup({ iq, hooks, config, pubsub }) {
    iq.get('account', NS_PRIVATE, 'query', (request) => {
      requireOwn(request)
      const wanted = readRequest(request.payload)
      const stored = request.scope.get(fragmentStore, fragmentKey(wanted))
      const kept = stored && parseElement(stored.xml)
      // Some of it is a view of newer places of the same data.
      const shown = pubsub.fragmentOf(wanted)?.read(request.scope, kept) ?? kept
      return fragmentAnswer(shown ?? wanted)
    })

    iq.set('account', NS_PRIVATE, 'query', (request) => {
      requireOwn(request)
      const { fragmentBytes, fragments } = config(request.host)
      for (const { key, xml } of readFragments(request.payload)) {
        if (Buffer.byteLength(xml) > fragmentBytes) throw new StanzaError('policy-violation')
        const root = parseElement(xml)
        const view = pubsub.fragmentOf(root)
        const kept = view ? serialize(view.write(request.scope, root)) : xml
        storeFragment(request.scope, key, kept, fragments)
      }
      return undefined
    })

    hooks.on('account.deleted', ({ scope }) => {
      scope.turn.clear(fragmentStore, fragmentStore.table, { entity: scope.entity })
    })
  },
})
