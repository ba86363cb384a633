import { type FieldKind, jidField, listField } from '@tactus/stanza'
import { type Administration, hostOf, resultOf } from './administration-offer.ts'
import type { Values } from './offer.ts'
import type { Note } from './wire.ts'

/** Of whom there is a number (XEP-0133 §4.13 to §4.17): node, field, words, state of `user count`. */
const counts = [
  ['get-registered-users-num', 'registeredusersnum', 'registered', 'registered'],
  ['get-disabled-users-num', 'disabledusersnum', 'disabled', 'disabled'],
  ['get-online-users-num', 'onlineusersnum', 'online', 'online'],
  ['get-active-users-num', 'activeusersnum', 'active', 'active'],
  ['get-idle-users-num', 'idleusersnum', 'idle', 'idle'],
] as const

/** Of whom there is a list (§4.18 to §4.22): node, field, words, command and what it is given. */
const lists = [
  ['get-registered-users-list', 'registereduserjids', 'registered', 'user list', { state: 'any' }],
  ['get-disabled-users-list', 'disableduserjids', 'disabled', 'user list', { state: 'disabled' }],
  ['get-online-users-list', 'onlineuserjids', 'online', 'user online', { state: 'online' }],
  ['get-active-users', 'activeuserjids', 'active', 'user online', { state: 'active' }],
  // §4.22 has no field of its own for them.
  ['get-idle-users', 'activeuserjids', 'idle', 'user online', { state: 'idle' }],
] as const

/** `none` asks for as many as one answer may hold. */
const mostItems = 1_000
const maxItems: FieldKind<string> = listField({
  25: '25',
  50: '50',
  75: '75',
  100: '100',
  150: '150',
  200: '200',
  none: 'None',
})

function countOf([node, field, word, state]: (typeof counts)[number]): Administration {
  return {
    node,
    title: `Get number of ${word} users`,
    instructions: `Tells the number of ${word} users.`,
    needs: ['user count'],
    steps: (_, { step, caller }) => [step('user count', { ...hostOf(caller), state })],
    complete: ([output]) => {
      const { count } = output as { readonly count: number }
      const label = `The number of ${word} users`
      return { payload: [resultOf([{ var: field, label, values: [String(count)] }])] }
    },
  }
}

function listOf([node, field, word, command, given]: (typeof lists)[number]): Administration {
  return {
    node,
    title: `Get list of ${word} users`,
    instructions: `Fill out this form to request the ${word} users of this service.`,
    needs: [command],
    fields: {
      max_items: { kind: maxItems, label: 'Maximum number of items to show' },
      // §4.18 leaves to us what restricts the list.
      after: { kind: jidField, label: 'The last JID of the list before' },
    },
    steps: (values, { step, caller }) => [
      step(command, { ...hostOf(caller), ...given, ...pageOf(values) }),
    ],
    complete: ([output]) => {
      const { users, next } = output as {
        readonly users: readonly { readonly jid: string }[]
        readonly next?: string
      }
      const jids = users.map(({ jid }) => jid)
      const more: Note = { type: 'info', text: `There are more after ${next}.` }
      return {
        payload: [resultOf([{ var: field, label: `The list of ${word} users`, values: jids }])],
        notes: next === undefined ? [] : [more],
      }
    },
  }
}

function pageOf({ max_items: max, after }: Values): Values {
  const limit = max === undefined || max === 'none' ? mostItems : Number(max)
  return { limit, ...(after !== undefined && { after }) }
}

/** XEP-0133 §4.13 to §4.22. */
export const overviewAdministration: readonly Administration[] = [
  ...counts.map(countOf),
  ...lists.map(listOf),
]
