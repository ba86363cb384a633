import { type Jid, tryParseJid } from '@tactus/jid'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'
import { formatDateTime, parseDateTime } from './date-time.ts'
import { NS_DELAY } from './namespaces.ts'
import { withoutChildren } from './strip.ts'

/** That and since when a stanza was held back (XEP-0203). */
export interface Delay {
  /** Who held it back. */
  readonly from?: Jid
  /** When it was first sent, in milliseconds since 1970. */
  readonly stamp: number
  readonly reason?: string
}

/** The `<delay/>` element (XEP-0203 §2). */
export function delayElement({ from, stamp, reason }: Delay): XmlElement {
  return xml('delay', { xmlns: NS_DELAY, from, stamp: formatDateTime(stamp) }, reason)
}

/** Reads a `<delay/>` element; undefined when its stamp is no XEP-0082 moment. */
export function readDelay(element: XmlElement): Delay | undefined {
  const stamp = parseDateTime(element.attrs.stamp ?? '')
  if (stamp === undefined) return undefined
  const from = tryParseJid(element.attrs.from ?? '')
  const reason = element.text()
  return { stamp, ...(from && { from }), ...(reason && { reason }) }
}

/** Removes every delay that claims to come from one of these, who are we. */
export function stripDelays(stanza: Stanza, from: readonly Jid[]): Stanza {
  return withoutChildren(stanza, { name: 'delay', ns: NS_DELAY }, ({ attrs }) => {
    const claimed = tryParseJid(attrs.from ?? '')
    return claimed !== undefined && from.includes(claimed)
  })
}
