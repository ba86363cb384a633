import { bare, type Jid } from '@tactus/jid'
import { formatDateTime } from '@tactus/stanza'
import { clone, serialize, type XmlElement, xml } from '@tactus/xml'
import { xmppUri } from '../attachments/names.ts'
import { description, itemReply, settingOf, title } from '../fields.ts'
import type { ItemEntry } from '../store.ts'
import type { OpenPage } from './page.ts'

const NS_ATOM = 'http://www.w3.org/2005/Atom'

/** What a feed says of itself (XEP-0277 §5) and is taken over; where it is found, and when it changed, is known better here. */
const taken = ['title', 'subtitle', 'author', 'category', 'icon', 'logo', 'rights']

/** An item with its payload. */
export interface Shown {
  readonly item: ItemEntry
  readonly payload: XmlElement
}

/** A page of a node, and where on the web it is. */
export interface FeedParts {
  readonly page: OpenPage
  readonly address: string
  readonly shown: readonly Shown[]
  /** What the node says of itself. */
  readonly metadata: XmlElement | undefined
  /** This page, and the one after it. */
  readonly urls: { readonly self: string; readonly next: string | undefined }
}

/** Whether a payload can stand in a feed. */
export function isEntry(payload: XmlElement): boolean {
  return payload.is('entry', NS_ATOM)
}

/** Whether a payload tells of the feed. */
export function isFeed(payload: XmlElement): boolean {
  return payload.is('feed', NS_ATOM)
}

/** A node as an Atom feed (RFC 4287), or a page of it (RFC 5005 §3). */
export function feedDocument(parts: FeedParts): string {
  const { page, address, shown, metadata, urls } = parts
  const told = metadata?.getChildElements().filter((child) => child.getNS() === NS_ATOM) ?? []
  const own = told.filter(({ name }) => taken.includes(name)).map(clone)
  const has = (name: string): boolean => own.some((child) => child.name === name)
  const element = (name: string, text: string): XmlElement | undefined =>
    text === '' ? undefined : xml(name, null, text)
  const feed = xml(
    'feed',
    { xmlns: NS_ATOM },
    element('id', xmppUri(address, page.node)),
    !has('title') && element('title', settingOf(page.config, title) || page.node),
    !has('subtitle') && element('subtitle', settingOf(page.config, description)),
    !has('author') && xml('author', null, xml('name', null, address)),
    own,
    element('updated', formatDateTime(modifiedAt(page))),
    xml('link', { rel: 'self', type: 'application/atom+xml', href: urls.self }),
    urls.next !== undefined &&
      xml('link', { rel: 'next', type: 'application/atom+xml', href: urls.next }),
    xml('link', { rel: 'alternate', href: xmppUri(address, page.node) }),
    shown.map((each) => entryElement(parts, each)),
  )
  return `<?xml version='1.0' encoding='utf-8'?>\n${serialize(feed)}\n`
}

/** When something on the page was published last, ms. */
export function modifiedAt({ items, createdAt }: OpenPage): number {
  return items.reduce((latest, { at }) => Math.max(latest, at), createdAt)
}

/** What RFC 4287 §4.1.2 demands of an entry is added where it is not there. */
function entryElement({ page, address }: FeedParts, { item, payload }: Shown): XmlElement {
  const entry = clone(payload)
  const lacks = (name: string): boolean => entry.getChild(name, NS_ATOM) === undefined
  const uri = xmppUri(address, page.node, item.id)
  if (lacks('id')) entry.append(xml('id', null, uri))
  if (lacks('title')) entry.append(xml('title', null))
  if (lacks('updated')) entry.append(xml('updated', null, formatDateTime(item.at)))
  if (lacks('author') && settingOf(page.config, itemReply) === 'publisher') {
    const publisher = bare(item.publisher as Jid)
    const contact = xml('uri', null, `xmpp:${encodeURI(publisher)}`)
    entry.append(xml('author', null, xml('name', null, publisher), contact))
  }
  const links = entry.getChildren('link', NS_ATOM)
  if (!links.some(({ attrs }) => attrs.href === uri))
    entry.append(xml('link', { rel: 'alternate', href: uri }))
  return entry
}
