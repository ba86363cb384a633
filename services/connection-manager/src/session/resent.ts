import { type BareJid, domainpart, type FullJid } from '@tactus/jid'
import { delayElement, NS_DELAY } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'

/**
 * What is sent again after a resumption says since when it waits (XEP-0203 §2), in the name of the recipient's server:
 * the client may have been away for minutes. One that says so already says it better, and there is one and only one.
 */
export function resent(stanza: Stanza, at: number | undefined, to: FullJid): Stanza {
  if (at === undefined || stanza.name !== 'message' || stanza.type === 'error') return stanza
  if (stanza.hasChild('delay', NS_DELAY)) return stanza
  return stanza.append(delayElement({ from: domainpart(to) as BareJid, stamp: at }))
}
