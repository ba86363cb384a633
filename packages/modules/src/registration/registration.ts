import {
  changeKeys,
  deferred,
  defineModule,
  deleteAccount,
  type IqAnswer,
  type IqRequest,
  requireOwn,
  type XmppModule,
  xep,
} from '@tactus/core'
import { JidError, localpart, prepareLocalpart } from '@tactus/jid'
import { makeCredentialsSync } from '@tactus/sasl'
import { iqResult, StanzaError } from '@tactus/stanza'
import { type Account, accountStore } from '@tactus/storage'
import { z } from 'zod'
import { NS_REGISTER, readRegisterRequest, registeredForm } from './wire.ts'

const config = z.strictObject({
  passwordLength: z
    .int()
    .min(1)
    .default(8)
    .meta({ description: 'Shortest password, in characters.' }),
  changePassword: z.boolean().default(true).meta({
    description:
      'Whether accounts may change their password in-band. Not where it is kept elsewhere.',
  }),
  cancel: z
    .boolean()
    .default(true)
    .meta({ description: 'Whether accounts may delete themselves.' }),
  interval: z.int().min(0).default(10_000).meta({
    description: 'Shortest time between two changes of a password, in milliseconds.',
  }),
})
type RegistrationConfig = z.output<typeof config>

/**
 * In-Band Registration, the half of it that is for accounts: they change their password and delete themselves.
 *
 * How a stranger becomes an account happens before there is a session: a connection manager takes the form and sends
 * the command `account.register`.
 *
 * @see {@link https://xmpp.org/extensions/xep-0077.html | XEP-0077}
 */
export const registration: XmppModule = defineModule({
  name: 'registration',
  implements: [
    xep('0077', '2.4', {
      status: 'partial',
      note: 'The fields of §3 only: no data forms and no redirection, because nothing else is asked for.',
    }),
  ],
  features: { domain: [NS_REGISTER] },
  requires: ['accounts'],
  stores: [accountStore],
  config,

  setup({ iq, config }) {
    // §3.2 and §3.3 address the server; without `to` it is the account, which means the same.
    for (const target of ['account', 'domain'] as const) {
      iq.get(target, NS_REGISTER, 'query', (request) => {
        requireRegistered(request)
        return registeredForm(localpart(request.scope.entity) ?? '')
      })
      iq.set(target, NS_REGISTER, 'query', (request) => change(request, config(request.host)))
    }
  },
})

function change(request: IqRequest, config: RegistrationConfig): IqAnswer {
  const account = requireRegistered(request)
  const wanted = readRegisterRequest(request.payload)
  if (wanted.action === 'remove') return cancel(request, config)
  if (!config.changePassword) throw new StanzaError('not-allowed')
  if (!isOwnName(request, wanted.username)) throw new StanzaError('not-allowed')
  requireInterval(request, account, config)
  if ([...wanted.password].length < config.passwordLength)
    throw new StanzaError('not-acceptable', `A password has ${config.passwordLength} characters.`)
  changeKeys(request.scope, derive(request, wanted.password), request.session)
  return undefined
}

/** §3.2: the result still reaches whoever asked; then all sessions end. */
function cancel({ scope, stanza, session }: IqRequest, config: RegistrationConfig): IqAnswer {
  if (!config.cancel) throw new StanzaError('not-allowed')
  if (session) scope.deliver(session, iqResult(stanza))
  deleteAccount(scope)
  return deferred
}

/**
 * SECURITY: derived here and now, although it takes some 20 ms of a step. A job would have to be noted in live state,
 * and a command published, with the password in it; so it is in the stanza that its client sent, which is gone with this
 * step, and nowhere else. `requireInterval` keeps one account from taking the steps of all others.
 */
function derive({ scope }: IqRequest, password: string): Account['keys'] {
  try {
    return makeCredentialsSync(password, { random: (length) => scope.random(length) }).keys
  } catch (error) {
    if (error instanceof JidError) throw new StanzaError('not-acceptable', error.message)
    throw error
  }
}

function requireInterval({ scope }: IqRequest, account: Account, config: RegistrationConfig): void {
  // Versions are times; that of an account which never changed is its beginning.
  const isFirst = account.version === account.createdAt
  if (!isFirst && scope.now - account.version < config.interval)
    throw new StanzaError('resource-constraint', 'The password was changed a moment ago.')
}

function requireRegistered(request: IqRequest): Account {
  requireOwn(request)
  const account = request.scope.get(accountStore)
  if (!account || request.host.name !== request.scope.host.name)
    throw new StanzaError('registration-required')
  return account
}

function isOwnName({ scope }: IqRequest, username: string): boolean {
  try {
    return prepareLocalpart(username) === localpart(scope.entity)
  } catch {
    // It is no name at all, so it is not this one.
    return false
  }
}
