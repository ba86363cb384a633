import { type BareJid, bare, type FullJid, tryParseJid } from '@tactus/jid'
import {
  delayElement,
  NS_ARCHIVE,
  NS_CLIENT,
  NS_FORWARD,
  pageElement,
  StanzaError,
} from '@tactus/stanza'
import type { Conversation, InboxPlace, InboxTotals } from '@tactus/storage'
import { Stanza, type XmlElement, xml } from '@tactus/xml'

/** XEP-0430 §2.1. */
export const NS_INBOX = 'urn:xmpp:inbox:1'

/** What a request asks for beside its page (§3.1). */
export interface Wanted {
  readonly unreadOnly: boolean
  /** With the last message of each conversation. */
  readonly messages: boolean
}

/** @throws {StanzaError} `bad-request` for what is neither true nor false */
export function readWanted({ attrs }: XmlElement): Wanted {
  return {
    unreadOnly: readFlag(attrs['unread-only'], false),
    messages: readFlag(attrs.messages, true),
  }
}

function readFlag(text: string | undefined, otherwise: boolean): boolean {
  if (text === undefined) return otherwise
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw new StanzaError('bad-request', 'unread-only and messages are true or false.')
}

/** §3.1: one conversation, as the resource that asked gets it; `query` is the id of its request. */
export function entryMessage(
  conversation: Conversation,
  { id, to, from, query }: { id: string; to: FullJid; from: BareJid; query: string | undefined },
): Stanza {
  const { peer, unread, last, message } = conversation
  const attrs = { xmlns: NS_INBOX, jid: peer, unread: unread.toString(), id: last }
  const head = { xmlns: NS_CLIENT, id, to, from }
  const entry = xml('entry', attrs)
  return Stanza.from(xml('message', head, entry, message && resultElement(message, query)))
}

function resultElement(
  { id, at, stanza }: NonNullable<Conversation['message']>,
  query: string | undefined,
): XmlElement {
  const message = Stanza.parse(stanza).inNamespace(NS_CLIENT).element
  const forwarded = xml('forwarded', { xmlns: NS_FORWARD }, delayElement({ stamp: at }), message)
  // §2.2: the last message comes as a result out of the archive.
  return xml('result', { xmlns: NS_ARCHIVE, queryid: query, id }, forwarded)
}

/** §3.1: what comes last, with the totals of the whole inbox whatever the page is of. */
export function finElement(
  { total, unread, messages }: InboxTotals,
  page: {
    readonly ends?: { readonly first: string; readonly last: string }
    readonly count: number
  },
): XmlElement {
  const attrs = {
    xmlns: NS_INBOX,
    total: total.toString(),
    unread: unread.toString(),
    'all-unread': messages.toString(),
  }
  return xml('fin', attrs, pageElement(page))
}

/** A place as clients are told it (XEP-0059 §2.2: an opaque id). A conversation that moves on takes no page with it. */
export function placeId({ at, peer }: InboxPlace): string {
  return `${at}/${peer}`
}

/** Undefined for what is no such id. */
export function readPlace(id: string): InboxPlace | undefined {
  const [, at, address = ''] = /^(\d{1,15})\/(.+)$/s.exec(id) ?? []
  const jid = tryParseJid(address)
  return jid === undefined ? undefined : { at: Number(at), peer: bare(jid) }
}
