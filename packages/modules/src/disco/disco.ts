import {
  type DiscoNode,
  defineModule,
  type IqRequest,
  requirePresenceAccess,
  type Scope,
  type XmppModule,
  xep,
} from '@tactus/core'
import {
  NS_DISCO_INFO,
  NS_DISCO_ITEMS,
  NS_RSM,
  pageElement,
  readPageRequest,
  StanzaError,
} from '@tactus/stanza'
import { pageOf } from './paging.ts'
import { infoElement, itemsElement } from './wire.ts'

const nothing = { identities: [], features: [], forms: [] }
const pageLimits = { default: 1_000, max: 1_000 }

/**
 * Service Discovery: what an entity is and offers, and what belongs to it.
 *
 * What it answers with is what the modules declare; the forms of XEP-0128 among it.
 *
 * @see {@link https://xmpp.org/extensions/xep-0030.html | XEP-0030}
 */
export const disco: XmppModule = defineModule({
  name: 'disco',
  implements: [
    xep('0030', '2.5.0', {
      status: 'partial',
      note: 'disco#items of an account that one may not see is refused as disco#info is, instead of §8’s empty list: so it looks like an account that does not exist.',
    }),
    xep('0128', '1.0.1'),
    xep('0059', '1.0'),
  ],
  features: {
    account: [NS_DISCO_INFO, NS_DISCO_ITEMS, NS_RSM],
    domain: [NS_DISCO_INFO, NS_DISCO_ITEMS, NS_RSM],
  },
  identities: { domain: [{ category: 'server', type: 'im' }] },

  setup({ iq, disco, services }) {
    // §3.1: "registered" is for accounts that outlive their sessions.
    disco.info('account', ({ host }) => ({
      identities: [{ category: 'account', type: host.anonymous ? 'anonymous' : 'registered' }],
    }))
    disco.items('account', ({ scope }) => availableResources(scope))
    disco.items('domain', ({ host }) =>
      services.of(host).map(({ domain, title }) => ({ jid: domain, name: title })),
    )

    const nodeOf = ({ payload, scope, host, from, target }: IqRequest): DiscoNode | undefined => {
      const { node } = payload.attrs
      return node ? disco.describeNode(target, { scope, host, from, node }) : undefined
    }
    iq.get('any', NS_DISCO_INFO, 'query', (request) => {
      const { scope, from, host, target, payload } = request
      const node = nodeOf(request)
      if (node) return infoElement({ ...nothing, ...node.info }, payload.attrs.node)
      admit(request)
      return infoElement(disco.describe(target, scope, from, host))
    })
    iq.get('any', NS_DISCO_ITEMS, 'query', (request) => {
      const { scope, from, host, target, payload } = request
      const node = nodeOf(request)
      if (!node) admit(request)
      const page = pageOf(
        node?.items ?? disco.list(target, scope, from, host),
        readPageRequest(payload, pageLimits),
      )
      const asked = payload.getChild('set', NS_RSM) !== undefined
      return itemsElement(page.items, {
        node: payload.attrs.node,
        page: asked ? pageElement(page.summary) : undefined,
      })
    })
  },
})

/** §8: an account shows itself only to those who may see its presence; nodes are shown by who has them. */
function admit({ target, scope, from, payload }: IqRequest): void {
  if (target === 'account') requirePresenceAccess(scope, from)
  if (payload.attrs.node) throw new StanzaError('item-not-found')
}

/** §4.1: what belongs to an account are its available resources. */
function availableResources(scope: Scope): readonly { readonly jid: string }[] {
  return scope
    .sessions()
    .filter(({ presence, invisible }) => presence !== undefined && !invisible)
    .map(({ jid }) => ({ jid }))
}
