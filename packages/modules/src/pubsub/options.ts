import type { Scope } from '@tactus/core'
import {
  booleanField,
  type DataForm,
  type FieldKind,
  formatDateTime,
  formElement,
  integerField,
  parseDateTime,
  StanzaError,
} from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import {
  type AnyField,
  type ConfigField,
  type ConfigTexts,
  configForm,
  payloadType,
  readConfig,
  settingOf,
} from './fields.ts'
import { keepsItems, type Node } from './service.ts'
import { peopleStore, type Subscription } from './store.ts'
import { pubsubError, SUBSCRIBE_OPTIONS } from './wire.ts'

const NS_ATOM = 'http://www.w3.org/2005/Atom'
/** What `pubsub#type` says of nodes whose items are Atom entries. */
const atomTypes: readonly string[] = ['', NS_ATOM, 'urn:xmpp:microblog:0']
const longestBody = 4_096

/** Milliseconds since 1970; none is 0. */
const momentField: FieldKind<number> = {
  type: 'text-single',
  expects: 'a date and time, or nothing',
  read: ([text = '']) => (text.trim() === '' ? 0 : parseDateTime(text.trim())),
  write: (value) => (value === 0 ? [] : [formatDateTime(value)]),
}

const field = <T>(name: string, kind: FieldKind<T>, value: T, label: string): ConfigField<T> => ({
  name: `pubsub#${name}`,
  definition: { kind, label },
  value,
})

/** Whether notifications are wanted (XEP-0060 §16.4.2). */
export const deliver: ConfigField<boolean> = field(
  'deliver',
  booleanField,
  true,
  'Whether you want notifications',
)
/** When the subscription ends by itself (§12.18). */
export const expire: ConfigField<number> = field(
  'expire',
  momentField,
  0,
  'When the subscription ends; never if empty',
)
/** Whether notifications have a text for people as well (§12.7). */
export const includeBody: ConfigField<boolean> = field(
  'include_body',
  booleanField,
  false,
  'Whether you want a text besides what is published',
)

const day = 86_400_000

/** Whether notifications of items come together, once in a while (§16.4.2). */
export const digest: ConfigField<boolean> = field(
  'digest',
  booleanField,
  false,
  'Whether you want what happened all at once, now and then',
)
/** Least milliseconds from one of these to the next (§16.4.2). */
export const digestFrequency: ConfigField<number> = field(
  'digest_frequency',
  integerField({ min: 1_000, max: 30 * day }),
  day,
  'How many milliseconds are between two of these at least',
)

/** What a subscriber may choose at a node. */
function optionsAt(node: Node | undefined): readonly AnyField[] {
  const type = node ? settingOf(node.config, payloadType) : ''
  return [
    ...[deliver, expire],
    // What is not kept cannot come later.
    ...(!node || keepsItems(node) ? [digest, digestFrequency] : []),
    // §12.7: only where there is a way to make a text of a payload.
    ...(atomTypes.includes(type) ? [includeBody] : []),
  ]
}

/** The options of a subscription as a form; without one, those that a new one has (§6.3.2, §6.4). */
export function optionsForm(
  node: Node | undefined,
  subscription?: Subscription,
  type: 'form' | 'result' = 'form',
): XmlElement {
  const fields = optionsAt(node)
  return formElement(configForm(type, subscription?.options ?? {}, fields, SUBSCRIBE_OPTIONS))
}

/**
 * The options that a form sets (§6.3.5).
 *
 * @throws {StanzaError} `bad-request` with `invalid-options` for a form that is none, or asks for what cannot be
 */
export function readSubscriptionOptions(node: Node, form: DataForm): ConfigTexts {
  try {
    const texts = readConfig(form, optionsAt(node), SUBSCRIBE_OPTIONS)
    const end = settingOf(texts, expire)
    if (end !== 0 && end <= node.service.scope.now) throw new StanzaError('not-acceptable')
    return texts
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error
    throw pubsubError('bad-request', 'invalid-options')
  }
}

/**
 * Whether a subscription is there that wants notifications.
 *
 * What has to be read first is asked again when it has been: since the subscriber ended the subscription, or was shut out,
 * or wants none any more, nothing comes.
 */
export function wantsStill(scope: Scope, node: string, subid: string): boolean {
  const subscription = scope.get(peopleStore, node)?.subscriptions.get(subid)
  return subscription?.state === 'subscribed' && settingOf(subscription.options, deliver)
}

/** Whether two subscriptions would get the same. */
export function sameOptions(one: ConfigTexts, other: ConfigTexts): boolean {
  const textOf = (texts: ConfigTexts): string =>
    [deliver, expire, digest, digestFrequency, includeBody]
      .map((each) => String(settingOf(texts, each as AnyField)))
      .join()
  return textOf(one) === textOf(other)
}

/** When a subscription ends by itself; undefined if it does not. */
export function endOf({ options }: Subscription): number | undefined {
  return settingOf(options, expire) || undefined
}

/** The text for people in what was published: of an Atom entry its title and what it says (§12.7). */
export function bodyOf(payload: XmlElement | undefined): XmlElement | undefined {
  if (payload?.getNS() !== NS_ATOM) return undefined
  const text = (name: string): string =>
    plain(payload.getChild(name, NS_ATOM)).replace(/\s+/g, ' ').trim()
  const parts = [text('title'), text('summary') || text('content')]
  const body = [...new Set(parts)].filter((part) => part !== '').join('\n')
  return body === '' ? undefined : xml('body', {}, body.slice(0, longestBody))
}

/** The text of an element and of all within. */
function plain(element: XmlElement | undefined): string {
  if (!element) return ''
  return element.children
    .map((child) => (typeof child === 'string' ? child : plain(child as XmlElement)))
    .join('')
}

/** The item of a notification, as it stands in what `<event/>` holds. */
export function payloadIn(items: XmlElement): XmlElement | undefined {
  return items.getChild('item')?.getChildElements()[0]
}
