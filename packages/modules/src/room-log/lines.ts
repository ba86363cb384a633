import { resourcepart, tryParseJid } from '@tactus/jid'
import { messageBody } from '@tactus/stanza'
import type { ArchivePageRow } from '@tactus/storage'
import { Stanza } from '@tactus/xml'

const NS_RETRACTION = 'urn:xmpp:message-retract:1'
const NS_REPLACE = 'urn:xmpp:message-correct:0'
/** XEP-0245. */
const action = '/me '

/** A line as anybody may read it: who it was in the room, and no more of who it was. */
export interface LogLine {
  readonly id: string
  /** Wall clock, ms. */
  readonly at: number
  readonly nick: string
  readonly kind: 'says' | 'does' | 'subject'
  readonly text: string
  /** It stands for an earlier one (XEP-0308). */
  readonly corrects: boolean
}

/** The line that an archived stanza is; undefined for what says nothing to people, and what was taken back. */
export function lineOf({ id, at, stanza: bytes }: ArchivePageRow): LogLine | undefined {
  const stanza = Stanza.parse(bytes)
  // XEP-0424 §3: its body is for clients that know no better. What it was about is a tombstone, which has none.
  if (stanza.hasChild('retract', NS_RETRACTION)) return undefined
  const from = stanza.from === undefined ? undefined : tryParseJid(stanza.from)
  // The room itself says nothing that people need.
  const nick = from && resourcepart(from)
  if (nick === undefined) return undefined
  const corrects = stanza.hasChild('replace', NS_REPLACE)
  const body = messageBody(stanza) ?? ''
  if (body !== '') {
    const isAction = body.startsWith(action)
    const text = isAction ? body.slice(action.length) : body
    return { id, at: Number(at), nick, kind: isAction ? 'does' : 'says', text, corrects }
  }
  const subject = stanza.child('subject', stanza.ns)?.text()
  if (subject === undefined) return undefined
  return { id, at: Number(at), nick, kind: 'subject', text: subject, corrects }
}
