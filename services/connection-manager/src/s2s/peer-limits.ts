import type { Remote } from '@tactus/bus'
import { NS_SERVER } from '@tactus/stanza'
import { NS_STREAM_LIMITS, tcpFraming } from '@tactus/stream'
import type { Stanza } from '@tactus/xml'

const framing = tcpFraming(NS_SERVER)
/** An address has at most 3,071 bytes (RFC 7622 §3.1); with the namespace of servers a stanza grows by no more than this. */
const mostGrowth = 4_096

/** Bytes of a stanza that the other side takes at most, as its features or its `<bidi/>` say (XEP-0478 §3). */
export function mostBytesOf(parent: Stanza): number | undefined {
  const text = parent.child('limits', NS_STREAM_LIMITS)?.getChild('max-bytes')?.text().trim() ?? ''
  const bytes = /^\d{1,15}$/.test(text) ? Number(text) : 0
  return bytes > 0 ? bytes : undefined
}

/** Whether each of its recipients' stanzas is small enough (XEP-0478 §4). */
export function fits({ stanza, recipients }: Remote, mostBytes: number | undefined): boolean {
  if (mostBytes === undefined || stanza.bytes.length + mostGrowth <= mostBytes) return true
  return recipients.every(
    (to) => framing.stanza(stanza.with({ to }).inNamespace(NS_SERVER)).length <= mostBytes,
  )
}
