import {
  defineModule,
  type NodeItem,
  type Nodes,
  type Scope,
  type XmppModule,
  xep,
} from '@tactus/core'
import { StanzaError } from '@tactus/stanza'
import { equals, type XmlElement } from '@tactus/xml'
import { fromStorage, NS_BOOKMARKS, NS_STORAGE, othersOf, toStorage } from './wire.ts'

const isPrivate = { 'pubsub#access_model': 'whitelist' }
const syncTimer = 'bookmarks-sync'
/** The one item of the older node (XEP-0048 §3). */
const current = 'current'

/**
 * Bookmarks: the rooms that somebody wants to find again, in one place for the clients of three ages.
 *
 * The items of XEP-0402 are what counts; the list of XEP-0048, in PEP as in private storage, is made of them.
 *
 * @see {@link https://xmpp.org/extensions/xep-0402.html | XEP-0402}
 * @see {@link https://xmpp.org/extensions/xep-0411.html | XEP-0411}
 */
export const bookmarks: XmppModule = defineModule({
  name: 'bookmarks',
  implements: [
    xep('0402', '1.2.0'),
    xep('0048', '1.2', {
      status: 'partial',
      note: 'A room whose address is no bare JID is not taken over into the other places.',
    }),
    xep('0411', '1.1.0'),
  ],
  features: {
    account: [
      `${NS_BOOKMARKS}#compat`,
      `${NS_BOOKMARKS}#compat-pep`,
      'urn:xmpp:bookmarks-conversion:0',
    ],
  },
  requires: ['pubsub'],

  setup({ hooks, pubsub, log }) {
    const nodesOf = (): Nodes => {
      const nodes = pubsub.nodes()
      if (!nodes) throw new Error('bookmarks need the pubsub module')
      return nodes
    }
    // What is written here cannot be read in the same turn: the list is made in the next one.
    const listChanged = ({ scope }: { readonly scope: Scope }): void =>
      scope.timer(syncTimer, scope.now)

    // XEP-0402 §6, SECURITY: where somebody goes is nobody’s business, whatever a client asks for.
    pubsub.type({
      node: NS_BOOKMARKS,
      config: { 'pubsub#max_items': 'max', 'pubsub#send_last_published_item': 'never' },
      forced: isPrivate,
      published: listChanged,
      retracted: listChanged,
    })
    pubsub.type({
      node: NS_STORAGE,
      config: { 'pubsub#max_items': 1 },
      forced: isPrivate,
      // Before it is stored, as nothing can be read in a turn that has stored something.
      check: ({ scope, item }) => {
        if (item.payload) takeOver(scope, nodesOf(), item.payload)
      },
    })
    pubsub.fragment({
      name: 'storage',
      ns: NS_STORAGE,
      read(scope, kept) {
        const items = nodesOf().items(scope, NS_BOOKMARKS)
        return items.length === 0 && !kept ? undefined : toStorage(items, othersOf(kept))
      },
      write(scope, root) {
        takeOver(scope, nodesOf(), root)
        return toStorage([], othersOf(root))
      },
    })
    hooks.timer(syncTimer, ({ scope }) => {
      try {
        offerList(scope, nodesOf())
      } catch (error) {
        if (!(error instanceof StanzaError)) throw error
        // The list does not fit into an item, or the account is full: the older node stays as it is.
        log.warn('bookmarks_not_converted', { condition: error.condition })
      }
    })
  },
})

/** XEP-0402 §5.3.2: only what differs is published or retracted. */
function takeOver(scope: Scope, nodes: Nodes, storage: XmlElement): void {
  const known = nodes.items(scope, NS_BOOKMARKS)
  const wanted = fromStorage(storage, known)
  const gone = known.filter(({ id }) => !wanted.some((bookmark) => bookmark.id === id))
  for (const { id, conference } of wanted) {
    const before = known.find((item) => item.id === id)?.payload
    if (!before || !equals(before, conference))
      nodes.publish(scope, NS_BOOKMARKS, { id, payload: conference })
  }
  if (gone.length > 0)
    nodes.retract(
      scope,
      NS_BOOKMARKS,
      gone.map(({ id }) => id),
    )
}

/** Brings the older node up to date, if it is not. */
function offerList(scope: Scope, nodes: Nodes): void {
  const items = byAddress(nodes.items(scope, NS_BOOKMARKS))
  const before = nodes.item(scope, NS_STORAGE)?.payload
  const list = toStorage(items, othersOf(before))
  if (before ? !equals(before, list) : items.length > 0)
    nodes.publish(scope, NS_STORAGE, { id: current, payload: list })
}

/** By address, so that the list does not change with what changes last. */
function byAddress(items: readonly NodeItem[]): readonly NodeItem[] {
  return items.toSorted((one, other) => (one.id < other.id ? -1 : 1))
}
