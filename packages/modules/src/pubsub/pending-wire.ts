import { formElement, formTypeField, NS_COMMANDS } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import { NS_PUBSUB, SUBSCRIBE_AUTHORIZATION } from './wire.ts'

/** The command that lists who waits for approval (XEP-0060 §8.7). */
export const getPending: string = `${NS_PUBSUB}#get-pending`
/** What people call it. */
export const title = 'Subscription requests'

/** The form that offers nodes at which somebody waits. */
export function pendingForm(sessionid: string, nodes: readonly string[]): XmlElement {
  const form = formElement({
    type: 'form',
    title,
    instructions: ['Choose a node, and you will be asked about each who waits.'],
    fields: [
      formTypeField(SUBSCRIBE_AUTHORIZATION),
      {
        var: 'pubsub#node',
        type: 'list-single',
        label: 'Node ID',
        values: [],
        options: nodes.map((value) => ({ value })),
      },
    ],
  })
  const actions = xml('actions', { execute: 'complete' }, xml('complete'))
  return commandElement({ sessionid, status: 'executing' }, actions, form)
}

/** What is answered of the command (XEP-0050 §2). */
export function commandElement(
  attrs: { readonly sessionid: string; readonly status: string },
  ...content: readonly XmlElement[]
): XmlElement {
  return xml('command', { xmlns: NS_COMMANDS, node: getPending, ...attrs }, content)
}
