import { itemElement } from '@tactus/core'
import {
  bareJidsField,
  type FieldKind,
  jidField,
  jidsField,
  NS_ROSTER,
  textField,
} from '@tactus/stanza'
import { xml } from '@tactus/xml'
import { type Administration, forEach, required, resultOf } from './administration-offer.ts'
import type { Values } from './offer.ts'
import { badPayload } from './wire.ts'

const longestPassword = 1_023
const password: FieldKind<string> = textField(longestPassword, 'text-private')
const account = required({ kind: jidField, label: 'The JID of the account' })
const accounts = required({ kind: bareJidsField, label: 'The JIDs of the accounts' })

/** XEP-0133 §4.1. */
const addUser: Administration = {
  node: 'add-user',
  title: 'Add user',
  instructions: 'Fill out this form to add a user.',
  needs: ['user add'],
  fields: {
    accountjid: account,
    password: required({ kind: password, label: 'The password' }),
    'password-verify': required({ kind: password, label: 'The password again' }),
  },
  steps(values, { step }) {
    if (values.password !== values['password-verify'])
      throw badPayload('The value of password-verify is invalid: the same as password is expected.')
    return [step('user add', { jid: values.accountjid, password: values.password })]
  },
}

/** XEP-0133 §4.2, §4.3, §4.4: what is done to each of some accounts, with nothing to tell. */
function toEach(node: string, title: string, command: string): Administration {
  return {
    node,
    title,
    instructions: `Fill out this form to ${title.toLowerCase()}s.`,
    needs: [command],
    fields: { accountjids: accounts },
    steps: (values, { step }) => forEach(values, 'accountjids', (jid) => step(command, { jid })),
  }
}

/** XEP-0133 §4.5: of an account all sessions, of a full JID that one. */
const endSession: Administration = {
  ...toEach('end-user-session', 'End session', 'session kick'),
  title: 'End user session',
  fields: {
    accountjids: required({ kind: jidsField, label: 'The JIDs of accounts or sessions' }),
  },
}

/** XEP-0133 §4.7. */
const changePassword: Administration = {
  node: 'change-user-password',
  title: 'Change user password',
  instructions: 'Fill out this form to change a password. All sessions of the account end.',
  needs: ['user passwd'],
  fields: {
    accountjid: account,
    password: required({ kind: password, label: 'The new password' }),
  },
  steps: (values, { step }) => [
    step('user passwd', { jid: values.accountjid, password: values.password }),
  ],
}

interface RosterOutput {
  readonly jid: string
  readonly contacts: readonly {
    readonly jid: string
    readonly name?: string
    readonly subscription: 'none' | 'to' | 'from' | 'both'
    readonly ask: boolean
    readonly groups: readonly string[]
  }[]
}

/** XEP-0133 §4.8: one form an account, with the roster as RFC 6121 has it in it. */
const getRoster: Administration = {
  node: 'get-user-roster',
  title: 'Get user roster',
  instructions: 'Fill out this form to get rosters.',
  needs: ['user roster'],
  fields: { accountjids: accounts },
  steps: (values, { step }) =>
    forEach(values, 'accountjids', (jid) => step('user roster', { jid })),
  complete: (outputs) => ({
    payload: (outputs as readonly RosterOutput[]).map(({ jid, contacts }) => {
      const form = resultOf([{ var: 'accountjids', values: [jid] }])
      const items = contacts.map((contact) =>
        itemElement({ ...contact, approved: false, pendingIn: undefined, version: 0 }),
      )
      form.append(xml('query', { xmlns: NS_ROSTER }, items))
      return form
    }),
  }),
}

/** XEP-0133 §4.9. */
const lastLogin: Administration = {
  node: 'get-user-lastlogin',
  title: 'Get user last login time',
  instructions:
    'Fill out this form to learn when somebody logged in, or where nobody is, when the last left.',
  needs: ['user seen'],
  fields: { accountjids: accounts },
  steps: (values, { step }) => forEach(values, 'accountjids', (jid) => step('user seen', { jid })),
  complete: (outputs) => ({
    payload: (outputs as readonly Values[]).map(({ jid, at }) =>
      resultOf([
        { var: 'accountjids', values: [String(jid)] },
        { var: 'lastlogin', values: at === undefined ? [] : [String(at)] },
      ]),
    ),
  }),
}

/** XEP-0133 §4.10: what we know; rates of stanzas and of log-ins are kept of nobody. */
const userStats: Administration = {
  node: 'user-stats',
  title: 'Get user statistics',
  instructions: 'Fill out this form to gather user statistics.',
  needs: ['user stats'],
  fields: { accountjid: account },
  steps: (values, { step }) => [step('user stats', { jid: values.accountjid })],
  complete: ([output]) => {
    const { contacts, resources, addresses } = output as {
      readonly contacts: number
      readonly resources: readonly string[]
      readonly addresses: readonly string[]
    }
    return {
      payload: [
        resultOf([
          { var: 'ipaddresses', values: addresses },
          { var: 'rostersize', values: [String(contacts)] },
          { var: 'onlineresources', values: resources },
        ]),
      ],
    }
  },
}

interface AdminsOutput {
  readonly users: readonly { readonly jid: string }[]
}

/** XEP-0133 §4.29: those of the host. Who administers the cluster stands in its configuration. */
const editAdmins: Administration = {
  node: 'edit-admin',
  title: 'Edit admin list',
  instructions: 'Fill out this form to say who administers this host.',
  needs: ['user list', 'user role'],
  fields: { adminjids: { kind: bareJidsField, label: 'The admin list' } },
  prefill: {
    steps: ({ step, caller }) => [
      step('user list', { host: caller.addressed, role: 'admin', limit: 1_000 }),
    ],
    values: ([output]) => ({ adminjids: (output as AdminsOutput).users.map(({ jid }) => jid) }),
  },
  steps(values, { step }, filled) {
    const before = (filled.adminjids ?? []) as readonly string[]
    const after = (values.adminjids ?? []) as readonly string[]
    const added = { adminjids: after.filter((jid) => !before.includes(jid)) }
    const removed = { adminjids: before.filter((jid) => !after.includes(jid)) }
    return [
      ...forEach(added, 'adminjids', (jid) => step('user role', { jid, role: 'admin' })),
      ...forEach(removed, 'adminjids', (jid) => step('user role', { jid, role: 'user' })),
    ]
  },
}

/** XEP-0133 §4.1 to §4.10, §4.29. There is no password to be got (§4.6): none is kept. */
export const userAdministration: readonly Administration[] = [
  addUser,
  toEach('delete-user', 'Delete user', 'user delete'),
  toEach('disable-user', 'Disable user', 'user disable'),
  toEach('reenable-user', 'Re-enable user', 'user enable'),
  endSession,
  changePassword,
  getRoster,
  lastLogin,
  userStats,
  editAdmins,
]
