import { type Jid, tryParseJid } from '@tactus/jid'
import { NS_STANZA_IDS, StanzaError } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'

/** XEP-0191 §9.1. */
export const NS_BLOCKING = 'urn:xmpp:blocking'
const NS_BLOCKING_ERRORS = 'urn:xmpp:blocking:errors'
/** XEP-0377 §3. */
export const NS_REPORTING = 'urn:xmpp:reporting:1'

/** What an account says of somebody whom it blocks (XEP-0377 §4). */
export interface Complaint {
  /** A URI: `urn:xmpp:reporting:spam`, `urn:xmpp:reporting:abuse` or one that others defined. */
  readonly reason: string
  readonly text: string | undefined
  /** Ids of the messages that are complained about (§6). */
  readonly stanzaIds: readonly string[]
  /** §5: may be shown to the domain that it came from, to third parties. */
  readonly reportOrigin: boolean
  readonly thirdParty: boolean
}

/** One address of a request, with the complaint that may come along. */
export interface BlockItem {
  readonly jid: Jid
  readonly complaint: Complaint | undefined
}

/** Bounds of one complaint, in characters and in ids. */
export const complaintLimits = { reason: 255, text: 2_000, stanzaIds: 20 } as const

/**
 * The addresses of a request.
 *
 * @throws {StanzaError} `bad-request` for an item without an address, or a report without a reason; `jid-malformed` for
 * an address that is none
 */
export function readItems(request: XmlElement): readonly BlockItem[] {
  return request.getChildren('item', NS_BLOCKING).map((item) => {
    if (!item.attrs.jid) throw new StanzaError('bad-request', 'an item needs a jid')
    const jid = tryParseJid(item.attrs.jid)
    if (!jid) throw new StanzaError('jid-malformed', 'the address of an item is no JID')
    const report = item.getChild('report', NS_REPORTING)
    return { jid, complaint: report && readComplaint(report) }
  })
}

function readComplaint(report: XmlElement): Complaint {
  const { reason } = report.attrs
  // XEP-0377 §4: a report must have one.
  if (!reason) throw new StanzaError('bad-request', 'a report needs a reason')
  const ids = report.getChildren('stanza-id', NS_STANZA_IDS).map(({ attrs }) => attrs.id ?? '')
  return {
    reason: reason.slice(0, complaintLimits.reason),
    text: report.getChildText('text', NS_REPORTING)?.trim().slice(0, complaintLimits.text),
    stanzaIds: ids.filter((id) => id !== '').slice(0, complaintLimits.stanzaIds),
    reportOrigin: report.getChild('report-origin', NS_REPORTING) !== undefined,
    thirdParty: report.getChild('third-party', NS_REPORTING) !== undefined,
  }
}

/** A list, a push: the addresses under `name`. */
export function itemsElement(
  name: 'block' | 'blocklist' | 'unblock',
  addresses: Iterable<string>,
): XmlElement {
  const items = Array.from(addresses, (jid) => xml('item', { jid }))
  return xml(name, { xmlns: NS_BLOCKING }, items)
}

/** What the account itself gets that speaks to somebody it blocked (XEP-0191 §3.3). */
export function blockedError(): StanzaError {
  const application = xml('blocked', { xmlns: NS_BLOCKING_ERRORS })
  return new StanzaError('not-acceptable', undefined, { type: 'cancel', application })
}
