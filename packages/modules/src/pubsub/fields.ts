import type { NodeConfig } from '@tactus/core'
import type { Jid } from '@tactus/jid'
import {
  booleanField,
  type DataForm,
  type FieldDefinition,
  type FieldKind,
  formTypeField,
  integerField,
  jidsField,
  listField,
  readSubmission,
  StanzaError,
  textField,
} from '@tactus/stanza'
import { NODE_CONFIG } from './wire.ts'

/** A field of a node's configuration, with the value that a node has which nobody configured. */
export interface ConfigField<T> {
  readonly name: string
  readonly definition: FieldDefinition<T>
  readonly value: T
}

// biome-ignore lint/suspicious/noExplicitAny: each field has its own type of value
export type AnyField = ConfigField<any>

/** The texts of a configuration as they are stored: only what differs from the defaults. */
export type ConfigTexts = Readonly<Record<string, readonly string[]>>

/** A number, or `max`: as much as the server allows (XEP-0060 §16.4.3). */
const numberOrMax = (min: number): FieldKind<number | 'max'> => ({
  type: 'text-single',
  read: (values) =>
    values.length === 1 && values[0] === 'max'
      ? 'max'
      : integerField({ min, max: 1_000_000_000 }).read(values),
  write: (value) => [String(value)],
})

/** Names of roster groups. They are the client's, so any are taken. */
const groupsField: FieldKind<readonly string[]> = {
  type: 'text-multi',
  read: (values) =>
    values.every((group) => group.length <= 1_024) ? [...new Set(values)] : undefined,
  write: (value) => value,
}

const field = <T>(name: string, kind: FieldKind<T>, value: T, label: string): ConfigField<T> => ({
  name: `pubsub#${name}`,
  definition: { kind, label },
  value,
})

/** Who may subscribe to a node and have its items (XEP-0060 §4.5). */
export type AccessModel = 'open' | 'presence' | 'roster' | 'authorize' | 'whitelist'

export const accessModel: ConfigField<AccessModel> = field(
  'access_model',
  listField({
    open: 'Anyone',
    presence: 'Who may see the owner’s presence',
    roster: 'Contacts in certain groups of the roster',
    authorize: 'Whose subscription an owner approved',
    whitelist: 'Those on a list',
  }),
  'presence',
  'Who may subscribe and retrieve items',
)
export const rosterGroups: ConfigField<readonly string[]> = field(
  'roster_groups_allowed',
  groupsField,
  [],
  'Roster groups that may subscribe and retrieve items',
)
export const publishModel: ConfigField<'publishers' | 'subscribers' | 'open'> = field(
  'publish_model',
  listField({
    publishers: 'Publishers',
    subscribers: 'Publishers and subscribers',
    open: 'Anyone',
  }),
  'publishers',
  'Who may publish',
)
export const persistItems: ConfigField<boolean> = field(
  'persist_items',
  booleanField,
  true,
  'Whether items are kept',
)
export const maxItems: ConfigField<number | 'max'> = field(
  'max_items',
  numberOrMax(0),
  1,
  'How many items are kept, or max',
)
export const itemExpire: ConfigField<number | 'max'> = field(
  'item_expire',
  numberOrMax(1),
  'max',
  'After how many seconds an item goes by itself, or max',
)
export const whenFull: ConfigField<'retract-oldest' | 'discard-oldest' | 'reject'> = field(
  'publish_node_full',
  listField({
    'retract-oldest': 'The oldest item is retracted',
    'discard-oldest': 'The oldest item goes without a word',
    reject: 'The new item is refused',
  }),
  'retract-oldest',
  'What happens when the node is full',
)
export const maxPayload: ConfigField<number> = field(
  'max_payload_size',
  integerField({ min: 0, max: 100_000_000 }),
  100_000_000,
  'Most bytes of a payload; the server may allow less',
)
export const sendLast: ConfigField<'never' | 'on_sub' | 'on_sub_and_presence'> = field(
  'send_last_published_item',
  listField({
    never: 'Never',
    on_sub: 'When somebody subscribes',
    on_sub_and_presence: 'When somebody subscribes, and whenever a subscriber comes online',
  }),
  'on_sub_and_presence',
  'When the last item is sent',
)
export const deliverNotifications: ConfigField<boolean> = field(
  'deliver_notifications',
  booleanField,
  true,
  'Whether subscribers are notified',
)
export const deliverPayloads: ConfigField<boolean> = field(
  'deliver_payloads',
  booleanField,
  true,
  'Whether notifications carry the payload',
)
export const notifyRetract: ConfigField<boolean> = field(
  'notify_retract',
  booleanField,
  false,
  'Whether subscribers are told that items were taken back',
)
export const notifyDelete: ConfigField<boolean> = field(
  'notify_delete',
  booleanField,
  true,
  'Whether subscribers are told that the node was deleted',
)
export const notifyConfig: ConfigField<boolean> = field(
  'notify_config',
  booleanField,
  false,
  'Whether subscribers are told that the configuration changed',
)
export const notifySubscriptions: ConfigField<boolean> = field(
  'notify_sub',
  booleanField,
  false,
  'Whether owners are told who subscribes and who does not any more',
)
/** Shown, as clients ask for `false` (XEP-0503 §3), and never on: a session that ends must not cost a look at all nodes. */
export const purgeOffline: ConfigField<boolean> = field(
  'purge_offline',
  {
    ...booleanField,
    expects: 'false',
    read: (texts) => (booleanField.read(texts) === false ? false : undefined),
  },
  false,
  'Whether the items of a publisher go when it goes offline',
)
const mostContacts = 20
export const contact: ConfigField<readonly Jid[]> = field(
  'contact',
  {
    ...jidsField,
    expects: `at most ${mostContacts} JIDs`,
    read: (texts) => (texts.length > mostContacts ? undefined : jidsField.read(texts)),
  },
  [],
  'People to contact with questions',
)
export const notificationType: ConfigField<'normal' | 'headline'> = field(
  'notification_type',
  listField({ normal: 'normal', headline: 'headline' }),
  'headline',
  'Type of the message that notifies',
)
export const presenceBased: ConfigField<boolean> = field(
  'presence_based_delivery',
  booleanField,
  false,
  'Whether only those are notified who are online',
)
export const allowsSubscribing: ConfigField<boolean> = field(
  'subscribe',
  booleanField,
  true,
  'Whether anybody may subscribe',
)
export const itemReply: ConfigField<'none' | 'owner' | 'publisher'> = field(
  'itemreply',
  listField({
    none: 'Items do not say whose they are',
    owner: 'Items name the owner as the one to answer',
    publisher: 'Items name their publisher',
  }),
  'none',
  'Who gets answers to items',
)
export const title: ConfigField<string> = field('title', textField(1_024), '', 'Name for people')
export const description: ConfigField<string> = field(
  'description',
  textField(4_096),
  '',
  'What it is about',
)
export const payloadType: ConfigField<string> = field(
  'type',
  textField(1_024),
  '',
  'Namespace of the payload',
)
export const language: ConfigField<string> = field(
  'language',
  textField(64),
  '',
  'Language of the payload',
)

/** The fields of XEP-0060 §16.4.3 that this engine knows. */
export const ownFields: readonly AnyField[] = [
  title,
  description,
  accessModel,
  rosterGroups,
  publishModel,
  persistItems,
  maxItems,
  itemExpire,
  whenFull,
  maxPayload,
  sendLast,
  deliverNotifications,
  deliverPayloads,
  notifyRetract,
  notifyDelete,
  notifyConfig,
  notifySubscriptions,
  notificationType,
  presenceBased,
  allowsSubscribing,
  itemReply,
  purgeOffline,
  contact,
  payloadType,
  language,
]

/** How nodes of a service may be accessed: it has no contacts whose presence it shares, and no roster. */
const serviceAccess: ConfigField<'open' | 'authorize' | 'whitelist'> = {
  ...accessModel,
  definition: {
    ...accessModel.definition,
    kind: listField({
      open: 'Anyone',
      authorize: 'Whose subscription an owner approved',
      whitelist: 'Those on a list',
    }),
  },
  value: 'open',
}

/** The same fields as nodes of a service have them. */
export const serviceFields: readonly AnyField[] = ownFields
  .filter((each) => each !== rosterGroups)
  .map((each) => (each === accessModel ? serviceAccess : each))

/** The value of a field in a stored configuration. */
export function settingOf<T>(config: ConfigTexts, { name, definition, value }: ConfigField<T>): T {
  const texts = Object.hasOwn(config, name) ? config[name] : undefined
  return texts === undefined ? value : (definition.kind.read(texts) ?? value)
}

/** Values that a module gave, as texts. */
export function toTexts(values: NodeConfig, fields: readonly AnyField[]): ConfigTexts {
  const texts: Record<string, readonly string[]> = {}
  for (const { name, definition } of fields)
    if (Object.hasOwn(values, name)) texts[name] = definition.kind.write(values[name])
  return texts
}

/**
 * What a submitted configuration form sets (XEP-0060 §8.2), as texts.
 *
 * @throws {StanzaError} `not-acceptable` for a value that does not fit
 */
export function readConfig(
  form: DataForm,
  fields: readonly AnyField[],
  formType: string = NODE_CONFIG,
): ConfigTexts {
  const definition = Object.fromEntries(fields.map((each) => [each.name, each.definition]))
  return toTexts(readSubmission(form, formType, definition), fields)
}

/** A configuration as a form that offers it, or tells of it. */
export function configForm(
  type: 'form' | 'result',
  config: ConfigTexts,
  fields: readonly AnyField[],
  formType: string = NODE_CONFIG,
): DataForm {
  const shown = fields.map((each) => ({
    var: each.name,
    type: each.definition.kind.type,
    label: each.definition.label,
    values: each.definition.kind.write(settingOf(config, each)),
    ...(type === 'form' && { options: each.definition.kind.options }),
  }))
  return { type, fields: [formTypeField(formType), ...shown] }
}

/** @throws {StanzaError} `not-acceptable` when the node would keep more than the server allows */
export function requireCount(config: ConfigTexts, limit: number): void {
  const count = settingOf(config, maxItems)
  if (count !== 'max' && count > limit)
    throw new StanzaError('not-acceptable', `A node may keep ${limit} items.`)
}
