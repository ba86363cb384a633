import type { Jid } from '@tactus/jid'
import { jidOfUri, StanzaError } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'

/** RFC 4287 §2. */
export const NS_ATOM = 'http://www.w3.org/2005/Atom'
/** XEP-0277; also the node of somebody’s own blog. */
export const NS_MICROBLOG = 'urn:xmpp:microblog:0'
/** What names of nodes begin with that hold the comments to a post (XEP-0277 §3.1). */
export const commentsPrefix: string = `${NS_MICROBLOG}:comments/`
/** What the types of all profiles of a social feed begin with (XEP-0472 §5). */
export const profilePrefix = 'urn:xmpp:pubsub-social-feed:'
/** XEP-0472 §5.1: the profile that all others are made of. */
export const NS_FEED = 'urn:xmpp:pubsub-social-feed:1'
/** XEP-0472 §5.3. */
export const NS_GALLERY = 'urn:xmpp:pubsub-social-feed:gallery:1'
/** XEP-0501 §4.1; also the node. */
export const NS_STORIES = 'urn:xmpp:pubsub-social-feed:stories:0'
const NS_PUBSUB_ERRORS = 'http://jabber.org/protocol/pubsub#errors'

/** The item that says what a feed is called, and whose it is (XEP-0277 §5). */
export const metadataId = '0'

/** Whether an item is what its node says of itself. */
export function isMetadata({
  id,
  payload,
}: {
  readonly id: string
  readonly payload: XmlElement | undefined
}): boolean {
  return id === metadataId && payload !== undefined && payload.is('feed', NS_ATOM)
}

/** The media of an entry (RFC 4287 §4.2.7.2): its links to what belongs to it. */
export function enclosuresOf(entry: XmlElement): readonly XmlElement[] {
  return entry.getChildren('link', NS_ATOM).filter(({ attrs }) => attrs.rel === 'enclosure')
}

/** Addresses that an entry gives as its authors’ (XEP-0277 §3.2); undefined for one that is none. */
export function authorsOf(entry: XmlElement): readonly (Jid | undefined)[] {
  return entry
    .getChildren('author', NS_ATOM)
    .map((author) => author.getChild('uri', NS_ATOM)?.text().trim() ?? '')
    .filter((uri) => uri.startsWith('xmpp:'))
    .map(jidOfUri)
}

/** A payload that its node has no place for (XEP-0060 §7.1.3.6). */
export function invalidPayload(text: string): StanzaError {
  const application = xml('invalid-payload', { xmlns: NS_PUBSUB_ERRORS })
  return new StanzaError('bad-request', text, { application })
}
