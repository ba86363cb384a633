import type { Bus } from '@tactus/bus'
import { writeBoshBody } from '@tactus/stream'
import { Stanza } from '@tactus/xml'
import type { Session } from '../session/session.ts'
import type { KeptAnswer } from './kept-answers.ts'

/** The body of an answer once more; its stanzas come from the session's queue where another instance gave it. */
export async function keptText(
  { text, from, to, extra }: KeptAnswer,
  session: Session | undefined,
  bus: Bus,
): Promise<string> {
  if (text !== undefined) return text
  if (!session) throw new Error('the session has not been taken up yet')
  const entries = to > from ? await bus.queue(session.id, from, to) : []
  const stanzas = entries.map(({ payload }) => {
    if (!('bytes' in payload)) return ''
    const stanza = Stanza.parse(payload.bytes)
    // A payload that several queues share names nobody.
    return String(stanza.to === undefined ? stanza.with({ to: session.jid }) : stanza)
  })
  return writeBoshBody({}, extra + stanzas.join(''))
}
