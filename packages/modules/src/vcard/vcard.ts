import {
  defineModule,
  maySeePresence,
  type Nodes,
  requireOwn,
  type Scope,
  type XmppModule,
  xep,
} from '@tactus/core'
import type { Jid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { parseElement, serialize, type XmlElement } from '@tactus/xml'
import { z } from 'zod'
import { avatarShownTo, hashToShow, NS_AVATAR_DATA, NS_AVATAR_METADATA } from './avatar.ts'
import { composeVcard, spreadVcard } from './composed.ts'
import { showAvatar, stampAvatar } from './presence-hash.ts'
import { vcardStore } from './store.ts'
import { NS_VCARD4_FORMAT } from './vcard4.ts'
import { emptyVcard, NS_VCARD, readVcard, serverVcard } from './wire.ts'

const accessModel = 'pubsub#access_model'

/**
 * vcard-temp: the card that an account hands out, its picture included; and the newer places for both, which say the same.
 *
 * @see {@link https://xmpp.org/extensions/xep-0054.html | XEP-0054}
 */
export const vcard: XmppModule = defineModule({
  name: 'vcard',
  implements: [
    xep('0054', '1.3.0', {
      status: 'partial',
      note: 'Who writes somebody else’s card gets service-unavailable instead of forbidden (SHOULD of §3.2), as for an account that does not exist.',
    }),
    xep('0084', '1.1.4'),
    xep('0153', '1.1.1'),
    xep('0292', '0.12.0', {
      status: 'partial',
      note: 'Over PEP. What vcard-temp says of a postal address, a time zone or a key stays there; the types of telephone numbers and mail addresses are not carried over.',
    }),
    xep('0398', '1.0.0', {
      status: 'partial',
      note: 'That there is no avatar any more is told by PEP and by the vCard, not by presence.',
    }),
  ],
  features: {
    account: [NS_VCARD, NS_VCARD4_FORMAT, 'urn:xmpp:pep-vcard-conversion:0'],
    domain: [NS_VCARD],
  },
  stores: [vcardStore],
  migrations: [vcardStore.migration('0102-vcard')],
  config: z.strictObject({
    bytes: z.int().positive().default(262_144).meta({
      description: 'Largest vCard that is stored, in bytes of UTF-8, its picture included.',
    }),
    readers: z.enum(['anyone', 'contacts']).default('anyone').meta({
      description:
        'Who may read a vCard: anyone (XEP-0054 §8), or contacts that may see the presence of the account.',
    }),
  }),

  setup({ iq, hooks, config, pubsub }) {
    // XEP-0084 §4.1: an image is for who asks for it.
    pubsub.type({ node: NS_AVATAR_DATA, config: { 'pubsub#send_last_published_item': 'never' } })

    pubsub.type({
      node: NS_AVATAR_METADATA,
      published(event) {
        const nodes = pubsub.nodes()
        const hash = nodes && hashToShow(nodes, event)
        if (hash !== undefined) showAvatar(event.scope, hash)
      },
    })

    // XEP-0292 §5.2: whom somebody knows is nobody else’s business.
    pubsub.type({
      node: 'urn:xmpp:contacts',
      config: { [accessModel]: 'whitelist', 'pubsub#max_items': 'max' },
    })

    iq.get('domain', NS_VCARD, 'vCard', ({ host }) => serverVcard(host.name))
    iq.get('account', NS_VCARD, 'vCard', ({ scope, from, own, host }) => {
      const isReader = config(host).readers === 'anyone' || maySeePresence(scope, from)
      const shown = isReader ? cardFor(scope, pubsub.nodes(), from) : undefined
      if (shown) return shown
      if (own) return emptyVcard()
      // §3.3: the same as for an account that does not exist.
      throw new StanzaError('service-unavailable')
    })

    iq.set('account', NS_VCARD, 'vCard', (request) => {
      requireOwn(request)
      const { scope, host, payload: card } = request
      const { bytes, readers } = config(host)
      const text = readVcard(card, bytes)
      const nodes = host.anonymous ? undefined : pubsub.nodes()
      const access = readers === 'anyone' ? 'open' : 'presence'
      const rest = nodes && spreadVcard(scope, nodes, { card, config: { [accessModel]: access } })
      scope.set(vcardStore, '', { xml: rest ? serialize(rest) : text })
      return undefined
    })

    hooks.rewrite('presence.sending', (presence, { scope }) => {
      const nodes = pubsub.nodes()
      const hash = nodes && avatarShownTo(scope, nodes, presence.to)
      return hash === undefined ? presence : stampAvatar(presence, hash)
    })

    hooks.on('account.deleted', ({ scope }) => scope.set(vcardStore, '', undefined))
  },
})

function cardFor(scope: Scope, nodes: Nodes | undefined, reader: Jid): XmlElement | undefined {
  const text = scope.get(vcardStore)?.xml
  const stored = text === undefined ? undefined : parseElement(text)
  return nodes ? composeVcard(scope, nodes, { stored, reader }) : stored
}
