import { NS_CLIENT } from '@tactus/stanza'
import { type BoshFraming, standalone } from '@tactus/stream'
import { type BoshCondition, terminalBody } from './answer.ts'

/** Errors of a stream that was not even opened, which have a condition of their own (XEP-0124 §17.2). */
const conditions: ReadonlySet<string> = new Set<BoshCondition>([
  'host-gone',
  'host-unknown',
  'improper-addressing',
  'internal-server-error',
  'policy-violation',
  'remote-connection-failed',
  'system-shutdown',
])

/** How a session ends. */
export interface LastWords {
  readonly text: string
  /** Whether the client would not expect it. */
  readonly isNews: boolean
}

/** What the last answer says of the end: where to go, a rule that was broken, or the error of the stream. */
export function lastWords(
  { error, farewell }: BoshFraming,
  { condition, isNew }: { readonly condition: BoshCondition | undefined; readonly isNew: boolean },
): LastWords {
  const { seeOtherUri } = farewell
  if (seeOtherUri !== undefined) {
    const text = terminalBody('see-other-uri', `<uri>${seeOtherUri}</uri>`)
    return { text, isNews: true }
  }
  if (condition !== undefined) return { text: terminalBody(condition), isNews: true }
  if (!error) return { text: terminalBody(), isNews: false }
  const name = error.getChildElements()[0]?.name ?? ''
  if (isNew && conditions.has(name))
    return { text: terminalBody(name as BoshCondition), isNews: true }
  // XEP-0206 §7
  const text = terminalBody('remote-stream-error', standalone(error, NS_CLIENT))
  return { text, isNews: true }
}
