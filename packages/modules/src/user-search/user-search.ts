import { defineModule, type IqRequest, type XmppModule, xep } from '@tactus/core'
import { bare, domainpart } from '@tactus/jid'
import {
  iqRequest,
  NS_CLIENT,
  NS_DISCO_INFO,
  NS_DISCO_ITEMS,
  NS_RSM,
  StanzaError,
} from '@tactus/stanza'
import { xml } from '@tactus/xml'
import { z } from 'zod'
import { runningStore, searchJob, startSearch } from './search.ts'
import { type Card, cardStore, fold } from './store.ts'
import { fieldsElement, NS_REGISTER, NS_SEARCH, readFields } from './wire.ts'

const name = 'user-search'

/**
 * A directory of the accounts of a host, for those that want to be found, on a domain of its own.
 *
 * Nobody is in it that did not ask to be: an account puts itself in, and takes itself out, by registering with the
 * directory (XEP-0077), with what it wants to be found by.
 *
 * @see {@link https://xmpp.org/extensions/xep-0055.html | XEP-0055}
 */
export const userSearch: XmppModule = defineModule({
  name,
  implements: [
    xep('0055', '1.3', {
      status: 'partial',
      note: 'Off unless enabled. Without data forms (RECOMMENDED in §3), as there are no fields beyond those of the schema. Accounts of the host only, both to be found and to search. Pages of XEP-0059 go forwards.',
    }),
  ],
  features: {
    'service:user-search': [NS_DISCO_INFO, NS_DISCO_ITEMS, NS_RSM, NS_SEARCH, NS_REGISTER],
  },
  identities: { 'service:user-search': [{ category: 'directory', type: 'user' }] },
  stores: [cardStore, runningStore],
  migrations: [cardStore.migration('0141-user-search')],
  jobs: { search: searchJob },
  config: z.strictObject({
    enabled: z.boolean().default(false).meta({
      description: 'Whether hosts have a directory of accounts that want to be found.',
    }),
    subdomain: z.string().min(1).max(63).default('search').meta({
      description: 'What stands before the host’s name in its domain.',
    }),
    page: z.int().min(1).max(1_000).default(50).meta({
      description: 'Most accounts that one answer has.',
    }),
    letters: z.int().min(1).max(20).default(3).meta({
      description: 'Least letters of what is searched for.',
    }),
    parallel: z.int().min(1).default(16).meta({
      description: 'Most searches of one directory at once.',
    }),
  }),

  setup({ iq, hooks, config, services }) {
    services.add({
      name,
      title: 'User Directory',
      subdomain: (host) => (config(host).enabled ? config(host).subdomain : undefined),
      receive({ stanza }) {
        const isAnswer = stanza.type === 'error' || stanza.type === 'result'
        if (stanza.name !== 'presence' && !isAnswer) throw new StanzaError('service-unavailable')
      },
    })

    iq.get('service:user-search', NS_SEARCH, 'query', (request) => {
      requireLocal(request)
      return fieldsElement(NS_SEARCH, 'Fill in what you know of somebody.')
    })
    iq.set('service:user-search', NS_SEARCH, 'query', (request) => {
      requireLocal(request)
      return startSearch(request, config(request.host))
    })

    iq.get('service:user-search', NS_REGISTER, 'query', (request) => {
      requireLocal(request)
      const card = request.scope.get(cardStore, bare(request.from))
      return fieldsElement(NS_REGISTER, 'Fill in what others may find you by.', card)
    })
    iq.set('service:user-search', NS_REGISTER, 'query', (request) => {
      requireLocal(request)
      const { scope, payload, host } = request
      // Nothing of a guest outlives the visit.
      if (host.anonymous) throw new StanzaError('not-allowed')
      const isRemoval = payload.getChild('remove') !== undefined
      scope.set(cardStore, bare(request.from), isRemoval ? undefined : cardOf(readFields(payload)))
      return undefined
    })

    hooks.on('account.deleted', ({ scope }) => {
      const directory = services.of(scope.host).find((service) => service.name === name)
      if (!directory) return
      const addresses = { from: scope.entity, to: directory.domain }
      const attrs = { xmlns: NS_CLIENT, type: 'set', id: scope.makeId(), ...addresses } as const
      const removal = xml('query', { xmlns: NS_REGISTER }, xml('remove'))
      scope.send(iqRequest(attrs, removal), { durable: true })
    })
  },
})

/** SECURITY: a directory is for the people of its host, and no list of addresses for everybody else. */
function requireLocal({ from, host }: IqRequest): void {
  if (domainpart(from) !== host.name) throw new StanzaError('forbidden')
}

function cardOf({ nick = '', first = '', last = '', email = '' }: Partial<Card>) {
  return {
    nick,
    first,
    last,
    email,
    nick_folded: fold(nick),
    first_folded: fold(first),
    last_folded: fold(last),
    email_folded: fold(email),
  }
}
