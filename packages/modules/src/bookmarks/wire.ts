import type { NodeItem } from '@tactus/core'
import { isBare, tryParseJid } from '@tactus/jid'
import { clone, type XmlElement, xml } from '@tactus/xml'

/** XEP-0402 §5.2; also the node. */
export const NS_BOOKMARKS = 'urn:xmpp:bookmarks:1'
/** XEP-0048 §7; also the node of its PEP times. */
export const NS_STORAGE = 'storage:bookmarks'

/** One room, as the item of its JID holds it. */
export interface Bookmark {
  readonly id: string
  readonly conference: XmlElement
}

/** The list of XEP-0048 that says the same as these items, with what else an older list held. */
export function toStorage(items: readonly NodeItem[], others: readonly XmlElement[]): XmlElement {
  const conferences = items.flatMap(({ id, payload }) => (payload ? [toOld(id, payload)] : []))
  return xml('storage', { xmlns: NS_STORAGE }, conferences, others.map(clone))
}

/**
 * The rooms of a list, as items. What only the newer form holds is taken from the `known` ones, so that an older client
 * does not throw away what it does not know.
 */
export function fromStorage(storage: XmlElement, known: readonly NodeItem[]): readonly Bookmark[] {
  const bookmarks = new Map<string, Bookmark>()
  for (const conference of storage.getChildren('conference', NS_STORAGE)) {
    const id = tryParseJid(conference.attrs.jid ?? '')
    if (!id || !isBare(id)) continue
    const before = known.find((item) => item.id === id)?.payload
    bookmarks.set(id, { id, conference: toNew(conference, before) })
  }
  return [...bookmarks.values()]
}

/** What a list holds that are no rooms: XEP-0048 knows URLs as well. */
export function othersOf(storage: XmlElement | undefined): readonly XmlElement[] {
  return storage?.getChildElements().filter((child) => !child.is('conference', NS_STORAGE)) ?? []
}

function toOld(jid: string, payload: XmlElement): XmlElement {
  const { name, autojoin } = payload.attrs
  return xml(
    'conference',
    { jid, name, autojoin },
    ['nick', 'password'].map((each) => textOf(payload, each)),
  )
}

function textOf(parent: XmlElement, name: string): XmlElement | undefined {
  const text = parent
    .getChildElements()
    .find((child) => child.name === name)
    ?.text()
  return text === undefined ? undefined : xml(name, null, text)
}

function toNew(conference: XmlElement, before: XmlElement | undefined): XmlElement {
  const { name, autojoin } = conference.attrs
  const extensions = before?.getChildren('extensions', NS_BOOKMARKS) ?? []
  return xml(
    'conference',
    { xmlns: NS_BOOKMARKS, name, autojoin },
    ['nick', 'password'].map((each) => textOf(conference, each)),
    extensions.map(clone),
  )
}
