import { defineModule, type ItemEvent, type NodeKind, type XmppModule, xep } from '@tactus/core'
import { bare } from '@tactus/jid'
import type { XmlElement } from '@tactus/xml'
import {
  authorsOf,
  commentsPrefix,
  enclosuresOf,
  invalidPayload,
  isMetadata,
  NS_ATOM,
  NS_FEED,
  NS_GALLERY,
  NS_MICROBLOG,
  NS_STORIES,
  profilePrefix,
} from './wire.ts'

/** XEP-0472 §5.1. Without the last but one, who was away would not know what was taken back. */
const feed: NodeKind = {
  payload: NS_ATOM,
  config: {
    'pubsub#max_items': 'max',
    'pubsub#send_last_published_item': 'never',
    'pubsub#deliver_payloads': false,
    'pubsub#itemreply': 'publisher',
  },
  forced: { 'pubsub#notify_retract': true, 'pubsub#persist_items': true },
  check: (event) => {
    entryIn(event)
  },
}

/** XEP-0277 §4.1. A blog of short posts, so that they are told whole, as its examples show. */
const blog: NodeKind = {
  ...feed,
  config: { ...feed.config, 'pubsub#deliver_payloads': true, 'pubsub#type': NS_MICROBLOG },
}

/** XEP-0277 §4.2: everybody who may read them may add one. */
const comments: NodeKind = {
  ...feed,
  config: {
    ...feed.config,
    'pubsub#deliver_payloads': true,
    'pubsub#access_model': 'open',
    'pubsub#publish_model': 'open',
  },
  check: (event) => {
    const entry = entryIn(event)
    if (entry) requireOwnName(event, entry)
  },
}

/** XEP-0472 §5.3. */
const gallery: NodeKind = {
  ...feed,
  check(event) {
    const entry = entryIn(event)
    if (entry && !enclosuresOf(entry).some(({ attrs }) => attrs.type?.startsWith('image/')))
      throw invalidPayload('What is shown here has a picture.')
  },
}

/** XEP-0501 §4.1: gone after a day. */
const stories: NodeKind = {
  ...feed,
  config: {
    ...feed.config,
    'pubsub#access_model': 'presence',
    'pubsub#item_expire': 86_400,
  },
  forced: { ...feed.forced, 'pubsub#type': NS_STORIES },
  check(event) {
    const entry = entryIn(event)
    if (entry && enclosuresOf(entry).length !== 1)
      throw invalidPayload('A story has one picture, or one of whatever it shows.')
  },
}

/**
 * Social feeds: blogs and comments to them, galleries, stories. Nodes of Atom entries with the configuration that suits
 * them, so that nobody has to ask for it, and nothing else in them.
 *
 * @see {@link https://xmpp.org/extensions/xep-0277.html | XEP-0277}
 * @see {@link https://xmpp.org/extensions/xep-0472.html | XEP-0472}
 * @see {@link https://xmpp.org/extensions/xep-0501.html | XEP-0501}
 */
export const feeds: XmppModule = defineModule({
  name: 'feeds',
  implements: [
    xep('0277', '0.6.5', {
      status: 'partial',
      note: 'Entries stay as they were published: no alternate links are put into them, and notifications have no body.',
    }),
    xep('0472', '0.2.1', {
      status: 'partial',
      note: 'As XEP-0277. The node of a blog tells of whole posts: its configuration asks for payloads.',
    }),
    xep('0501', '0.2.0'),
  ],
  features: {
    account: [NS_MICROBLOG, NS_FEED, NS_GALLERY, NS_STORIES],
    'service:pubsub': [NS_FEED, NS_GALLERY],
  },
  requires: ['pubsub'],

  setup({ pubsub }) {
    pubsub.type({ node: NS_MICROBLOG, ...blog })
    pubsub.type({ node: commentsPrefix, family: true, ...comments })
    pubsub.type({ node: NS_STORIES, ...stories })
    pubsub.profile({ profile: NS_MICROBLOG, ...blog })
    pubsub.profile({ profile: NS_FEED, ...feed })
    // §5: more profiles are made of the basic one, by XEP-0508 for instance.
    pubsub.profile({ profile: profilePrefix, family: true, ...feed })
    pubsub.profile({ profile: NS_GALLERY, ...gallery })
    pubsub.profile({ profile: NS_STORIES, ...stories })
  },
})

/** The entry of an item; undefined for what a feed says of itself. @throws {StanzaError} for anything else */
function entryIn({ item }: ItemEvent): XmlElement | undefined {
  if (isMetadata(item)) return undefined
  if (!item.payload?.is('entry', NS_ATOM)) throw invalidPayload('An Atom entry is expected.')
  return item.payload
}

/**
 * SECURITY (XEP-0277 §9.1): where everybody may write, nobody writes in another’s name. In a blog the owner may: that is
 * how a post is repeated (§2.6).
 */
function requireOwnName({ item }: ItemEvent, entry: XmlElement): void {
  for (const author of authorsOf(entry)) {
    if (!author || bare(author) !== bare(item.publisher))
      throw invalidPayload('The author of a comment is who publishes it.')
  }
}
