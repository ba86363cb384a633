import { StanzaError } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import { NS_ATTACHMENTS, NS_SUMMARY } from './names.ts'

/** Reactions of one person that count. */
const mostOfOne = 32
/** Different reactions to an item. */
const mostDifferent = 256
/** An emoji may be a sequence of many; it is no text. */
const longest = 64

/** What is attached to an item, by all. */
export interface Summary {
  readonly noticed: number
  /** How many have reacted so, in the order in which it was first done. */
  readonly reactions: ReadonlyMap<string, number>
}

/** What was counted before (XEP-0470 §4.6). */
export function readSummary(element: XmlElement | undefined): Summary {
  const reactions = element?.getChild('reactions', NS_SUMMARY)?.getChildren('reaction') ?? []
  return {
    noticed: Number(element?.getChild('noticed', NS_SUMMARY)?.attrs.count ?? 0),
    reactions: new Map(reactions.map((each) => [each.text(), Number(each.attrs.count ?? 1)])),
  }
}

/**
 * Counts what somebody attached before no more, and what is attached instead.
 *
 * @throws {StanzaError} `policy-violation` where there would be more kinds of reactions than people can look at
 */
export function recount(
  summary: Summary,
  before: XmlElement | undefined,
  after: XmlElement | undefined,
): Summary {
  const reactions = new Map(summary.reactions)
  const add = (text: string, difference: number): void => {
    const count = (reactions.get(text) ?? 0) + difference
    if (count > 0) reactions.set(text, count)
    else reactions.delete(text)
  }
  for (const text of reactionsIn(before)) add(text, -1)
  for (const text of reactionsIn(after)) add(text, 1)
  if (reactions.size > mostDifferent) throw new StanzaError('policy-violation')
  return { noticed: summary.noticed - noticedIn(before) + noticedIn(after), reactions }
}

/** The summary as an item holds it; undefined where there is nothing left to sum up. */
export function summaryElement({ noticed, reactions }: Summary): XmlElement | undefined {
  if (noticed <= 0 && reactions.size === 0) return undefined
  const list = [...reactions].map(([text, count]) =>
    // §4.8.2: what is there once has no count.
    xml('reaction', { count: count > 1 ? String(count) : undefined }, text),
  )
  return xml(
    'summary',
    { xmlns: NS_SUMMARY },
    noticed > 0 && xml('noticed', { count: String(noticed) }),
    list.length > 0 && xml('reactions', null, list),
  )
}

/** §4.7.3 */
function noticedIn(attachments: XmlElement | undefined): number {
  return attachments?.getChild('noticed', NS_ATTACHMENTS) ? 1 : 0
}

/** §4.8.2: each counts once. */
function reactionsIn(attachments: XmlElement | undefined): readonly string[] {
  const list = attachments?.getChild('reactions', NS_ATTACHMENTS)?.getChildren('reaction') ?? []
  const texts = list.map((each) => each.text()).filter((text) => text.trim() !== '')
  return [...new Set(texts)].filter((text) => text.length <= longest).slice(0, mostOfOne)
}
