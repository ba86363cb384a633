import type { Jid } from '@tactus/jid'
import { childrenOf, delayElement, jidOfUri, NS_CLIENT, NS_FORWARD, NS_HINTS } from '@tactus/stanza'
import { Stanza, type XmlElement, xml } from '@tactus/xml'

/** XEP-0452. */
export const NS_MENTIONS = 'urn:xmpp:mmn:0'
/** What a room tells accounts of this server, and no client: a line for somebody who is not in the room. */
export const NS_ABSENT = 'urn:tactus:room:absent'
const NS_REFERENCE = 'urn:xmpp:reference:0'
/** References of a message that are looked at: nobody means more people one by one. */
const mostMentions = 20

/** Whom a message mentions (XEP-0372 §3.2), as it names them: accounts, or nicknames in the room. */
export function mentionsIn(message: Stanza): readonly Jid[] {
  const jids: Jid[] = []
  const references = childrenOf(message, 'reference', NS_REFERENCE)
  for (const { attrs } of references.slice(0, mostMentions)) {
    const jid = attrs.type === 'mention' ? jidOfUri(attrs.uri ?? '') : undefined
    if (jid) jids.push(jid)
  }
  return jids
}

/** XEP-0452 §3.2: a line for somebody who is mentioned in it. */
export function mentionNotice(line: Stanza, room: Jid, at: number): Stanza {
  const inner = line.with({ to: room })
  return notice(xml('mentions', { xmlns: NS_MENTIONS }, forwarded(inner, at)))
}

/**
 * A line for a member who is away. It wakes the account's devices and waits nowhere: who comes back reads it in the room's
 * history or archive.
 */
export function absenceNotice(line: Stanza, at: number): Stanza {
  const absent = xml('absent', { xmlns: NS_ABSENT }, forwarded(line, at))
  return notice(absent, xml('no-store', { xmlns: NS_HINTS }))
}

function notice(...children: readonly XmlElement[]): Stanza {
  return Stanza.from(xml('message', { xmlns: NS_CLIENT }, ...children))
}

function forwarded(line: Stanza, at: number): XmlElement {
  const message = line.inNamespace(NS_CLIENT).element
  return xml('forwarded', { xmlns: NS_FORWARD }, delayElement({ stamp: at }), message)
}
