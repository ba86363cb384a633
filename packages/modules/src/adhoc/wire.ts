import {
  type DataForm,
  findForm,
  formElement,
  NS_COMMANDS,
  NS_DATA_FORMS,
  readForm,
  StanzaError,
} from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'

const actions = ['execute', 'next', 'prev', 'complete', 'cancel'] as const

/** XEP-0050 §3.4. */
export type Action = (typeof actions)[number]

/** A `<command/>` from somebody who wants it run, or goes on with it. */
export interface CommandRequest {
  readonly node: string
  readonly sessionId: string | undefined
  readonly action: Action
  readonly form: DataForm | undefined
}

/** What is sent back of a command. */
export interface CommandAnswer {
  readonly node: string
  readonly sessionId: string
  readonly status: 'executing' | 'completed' | 'canceled'
  /** Besides `cancel`, which is always allowed; the first is what `execute` means. */
  readonly actions?: readonly Action[]
  readonly notes?: readonly Note[]
  readonly payload?: readonly XmlElement[]
}

/** XEP-0050 §3.5: a word about what happened. */
export interface Note {
  readonly type: 'info' | 'warn' | 'error'
  readonly text: string
}

/**
 * Reads what is asked for.
 *
 * @throws {StanzaError} as XEP-0050 §4.4 names them
 */
export function readCommandRequest(element: XmlElement): CommandRequest {
  const { node, sessionid, action: word = 'execute' } = element.attrs
  if (!node) throw new StanzaError('item-not-found')
  const action = actions.find((known) => known === word)
  if (!action) throw commandError('malformed-action', `An action is one of ${actions.join(', ')}.`)
  return { node, sessionId: sessionid, action, form: readPayload(element) }
}

/** §3.5.1: a form that says `cancel` is meant as one that says `submit`. */
function readPayload(element: XmlElement): DataForm | undefined {
  const x = findForm(element)
  if (!x) return undefined
  try {
    const form = readForm(x)
    return form.type === 'cancel' ? { ...form, type: 'submit' } : form
  } catch (error) {
    throw error instanceof StanzaError ? badPayload(error.text ?? error.condition) : error
  }
}

/** The `<command/>` of an answer, in the one language that we speak (§3.7). */
export function commandElement(answer: CommandAnswer): XmlElement {
  const { node, sessionId, status, payload = [], notes = [], actions: allowed = [] } = answer
  const [first] = allowed
  return xml(
    'command',
    { xmlns: NS_COMMANDS, node, sessionid: sessionId, status, 'xml:lang': 'en' },
    first !== undefined &&
      xml(
        'actions',
        { execute: first },
        actions.filter((action) => allowed.includes(action)).map((action) => xml(action)),
      ),
    payload,
    notes.map(({ type, text }) => xml('note', { type }, text)),
  )
}

/** A result of names and values: fields in order, the columns of a table with their rows. */
export function resultElement(form: Omit<DataForm, 'type'>): XmlElement {
  return formElement({ ...form, type: 'result' })
}

/** What a command's own disco#info says it takes (§2.2). */
export const commandFeatures: readonly string[] = [NS_COMMANDS, NS_DATA_FORMS]

/** What an error is sent back with, as §4.4 shows it: clients find what they were doing by its session id. */
export function commandEcho(node: string, sessionId: string | undefined): XmlElement {
  return xml('command', { xmlns: NS_COMMANDS, node, sessionid: sessionId })
}

type Condition = 'bad-action' | 'bad-payload' | 'bad-sessionid' | 'malformed-action'

/** A refusal in the words of XEP-0050 §4.4. */
export function commandError(condition: Condition, text: string): StanzaError {
  return new StanzaError('bad-request', text, {
    application: xml(condition, { xmlns: NS_COMMANDS }),
  })
}

/** The form does not fit: `text` names the field and says what is allowed. */
export function badPayload(text: string): StanzaError {
  return commandError('bad-payload', text)
}

/** §4.4: what was going on under this id is over. */
export function sessionExpired(): StanzaError {
  return new StanzaError('not-allowed', 'This command is over. Please begin again.', {
    application: xml('session-expired', { xmlns: NS_COMMANDS }),
  })
}
