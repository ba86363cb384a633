import { type Jid, tryParseJid } from '@tactus/jid'
import {
  type DataForm,
  findForm,
  formElement,
  formTypeField,
  formTypeOf,
  iqRequest,
  NS_CLIENT,
  readForm,
  StanzaError,
} from '@tactus/stanza'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'

/** XEP-0357 §11.1. */
export const NS_PUSH = 'urn:xmpp:push:0'
const NS_PUBSUB = 'http://jabber.org/protocol/pubsub'
const NS_PUBLISH_OPTIONS = 'http://jabber.org/protocol/pubsub#publish-options'
const NS_SUMMARY = 'urn:xmpp:push:summary'

/** Longest name of a node, in bytes. */
const nodeBytes = 1_024

/** What is said to a push service with each notification, such as a secret: fields with their values. */
export type PublishOptions = readonly (readonly [name: string, values: readonly string[]])[]

/** The address of what is to be enabled or disabled: a push service, and a node of it. */
export interface PushAddress {
  readonly service: Jid
  readonly node: string | undefined
}

/**
 * Reads the address in `<enable/>` or `<disable/>` (§5, §6).
 *
 * @throws {StanzaError} `bad-request` without a JID, or with a node that nobody can mean
 */
export function readAddress({ attrs }: XmlElement): PushAddress {
  const service = tryParseJid(String(attrs.jid ?? ''))
  if (!service) throw new StanzaError('bad-request', 'The address of a push service is missing.')
  const node = attrs.node === undefined ? undefined : String(attrs.node)
  if (node !== undefined && Buffer.byteLength(node) > nodeBytes)
    throw new StanzaError('bad-request', `The name of a node has at most ${nodeBytes} bytes.`)
  return { service, node }
}

/**
 * Reads the publish-options of `<enable/>` (§5).
 *
 * @throws {StanzaError} `bad-request` for another form; `policy-violation` when they are larger than `limit` bytes
 */
export function readOptions(enable: XmlElement, limit: number): PublishOptions {
  const element = findForm(enable)
  if (!element) return []
  const form = readForm(element)
  if (formTypeOf(form) !== NS_PUBLISH_OPTIONS)
    throw new StanzaError('bad-request', `The form is not of the type ${NS_PUBLISH_OPTIONS}.`)
  const options = form.fields.flatMap(({ var: name, values }) =>
    name === undefined || name === 'FORM_TYPE' ? [] : [[name, values] as const],
  )
  if (Buffer.byteLength(JSON.stringify(options)) > limit)
    throw new StanzaError('policy-violation', `Publish options have at most ${limit} bytes.`)
  return options
}

/** What a notification tells (§7; §11.3.1). */
export interface Summary {
  readonly count: number
  readonly sender: string | undefined
  readonly body: string | undefined
}

/** The request that publishes a notification (§7), in the account's name. */
export function publishRequest(
  addresses: { readonly from: string; readonly id: string; readonly service: string },
  node: string,
  options: PublishOptions,
  summary: Summary,
): Stanza {
  const notification = xml('notification', { xmlns: NS_PUSH }, formElement(summaryForm(summary)))
  const publish = xml('publish', { node }, xml('item', null, notification))
  const { from, id, service } = addresses
  return iqRequest(
    { xmlns: NS_CLIENT, type: 'set', id, from, to: service },
    xml(
      'pubsub',
      { xmlns: NS_PUBSUB },
      publish,
      options.length > 0 && xml('publish-options', null, formElement(optionsForm(options))),
    ),
  )
}

function summaryForm({ count, sender, body }: Summary): DataForm {
  const fields = [
    formTypeField(NS_SUMMARY),
    { var: 'message-count', values: [String(count)] },
    ...(sender === undefined ? [] : [{ var: 'last-message-sender', values: [sender] }]),
    ...(body === undefined ? [] : [{ var: 'last-message-body', values: [body] }]),
  ]
  return { type: 'submit', fields }
}

function optionsForm(options: PublishOptions): DataForm {
  const fields = options.map(([name, values]) => ({ var: name, values }))
  return { type: 'submit', fields: [formTypeField(NS_PUBLISH_OPTIONS), ...fields] }
}

/** The node from which a push service has shut the account out (§8); undefined for any other message. */
export function readShutOut(message: Stanza): string | undefined {
  const pubsub = message.child('pubsub', NS_PUBSUB)
  const affiliation = pubsub?.getChild('affiliation')?.attrs.affiliation
  return affiliation === 'none' ? pubsub?.attrs.node : undefined
}
