import {
  deferred,
  defineModule,
  type Host,
  type IqRequest,
  type Scope,
  type XmppModule,
  xep,
} from '@tactus/core'
import { type BareJid, bare, domainpart, type FullJid, type Jid, parseBareJid } from '@tactus/jid'
import { NS_COMMANDS, StanzaError } from '@tactus/stanza'
import { accountStore } from '@tactus/storage'
import type { XmlElement } from '@tactus/xml'
import { z } from 'zod'
import { administrationOffer, available } from './administration-offer.ts'
import { announcementAdministration } from './announcement-administration.ts'
import { Desk, moduleName, prefillJob, type ReplyVisit, runJob, type Visit } from './desk.ts'
import { type ExecutionSpec, execution } from './execution.ts'
import type { Caller, Offer } from './offer.ts'
import { overviewAdministration } from './overview-administration.ts'
import { plannerFor } from './planner.ts'
import { registryOffer } from './registry-offer.ts'
import {
  commandSessionStore,
  endSessionsOf,
  expireCommandSession,
  sessionTimer,
} from './session.ts'
import { userAdministration } from './user-administration.ts'
import { commandEcho, commandFeatures, readCommandRequest } from './wire.ts'

const administration = [
  ...userAdministration,
  ...overviewAdministration,
  ...announcementAdministration,
]

/**
 * Ad-Hoc Commands: what operators do with tactusctl, done from a client, by forms.
 *
 * Every command of the registry that says who may run it is offered to those, on the host that it is about. What is
 * going on is live state of the account that runs it: it survives the router, and ends with the resource.
 *
 * @see {@link https://xmpp.org/extensions/xep-0050.html | XEP-0050}
 * @see {@link https://xmpp.org/extensions/xep-0133.html | XEP-0133}
 */
export const adhoc: XmppModule = defineModule({
  name: moduleName,
  implements: [
    xep('0050', '1.3.0', {
      status: 'partial',
      note: 'Commands are in English whatever language is asked for (§3.7), rather than refused. Command lists are not sent unasked (§2.3), and there are no commands for accounts of other servers.',
    }),
    xep('0133', '1.3.1', {
      status: 'partial',
      note: 'Not offered: Edit Blacklist and Edit Whitelist (§4.11, §4.12), there is no such list yet; Restart and Shut Down (§4.30, §4.31), which are for whatever keeps the instances running: `instance drain` takes one out of service. Get User Password was retracted (§4.6), and there is none to be got. An e-mail address and names of a new user are not kept; rates of stanzas and log-ins are kept of nobody. The last login of somebody who is not there is when they left. Lists have 1,000 items at most; the rest follows with the field `after`.',
    }),
    xep('0004', '2.13.2'),
    xep('0068', '1.3.0'),
    xep('0122', '1.0.2', {
      status: 'partial',
      note: 'Said of whole numbers with their range and of times. List ranges and regular expressions are not said; everything is checked all the same.',
    }),
  ],
  features: { domain: [NS_COMMANDS] },
  requires: ['disco', 'accounts'],
  stores: [commandSessionStore, accountStore],
  config: z.strictObject({
    sessions: z.int().positive().default(10).meta({
      description:
        'Most commands that an account has begun and not completed; beyond, the one left alone longest makes way.',
    }),
    lifetime: z.int().min(1_000).default(600_000).meta({
      description: 'How long a command waits for its form to be filled in, in milliseconds.',
    }),
  }),

  setup({ iq, disco, hooks, job, commands, config, services, log, isAdmin }) {
    let all: readonly Offer[] | undefined
    const offers = (): readonly Offer[] => {
      const known = commands()
      all ??= [
        ...available(administration, known).map(administrationOffer),
        ...known
          .filter(({ internal, access }) => internal !== true && access !== undefined)
          .map(registryOffer),
      ]
      return all
    }
    const desk = new Desk(offers, log)
    const callerOf = (scope: Scope, from: Jid, host: string): Caller => {
      const account = accountOf(scope, from)
      const administers = scope.get(accountStore)?.role === 'admin' && host === scope.host.name
      return {
        account,
        addressed: host,
        cluster: isAdmin(account),
        host: administers ? host : undefined,
        services: administers ? services.of(scope.host).map(({ domain }) => domain) : [],
        isClusterAdmin: isAdmin,
      }
    }

    disco.node('domain', ({ scope, host, from, node }) => {
      if (node === NS_COMMANDS) return commandList(desk, callerOf(scope, from, host.name))
      if (!offers().some((offer) => offer.node === node)) return undefined
      return commandNode(desk.find(callerOf(scope, from, host.name), node))
    })

    const take = (request: IqRequest): XmlElement | undefined => {
      const { scope, host, from } = request
      const caller = callerOf(scope, from, host.name)
      const visit = visitOf(request, caller, {
        planner: plannerFor(commands(), caller, (length) => scope.random(length)),
        bounds: config(host),
      })
      return desk.take(visit, readCommandRequest(request.payload))
    }
    iq.set('domain', NS_COMMANDS, 'command', (request) => {
      try {
        return take(request) ?? deferred
      } catch (error) {
        const { node = '', sessionid } = request.payload.attrs
        throw error instanceof StanzaError ? error.withEcho(commandEcho(node, sessionid)) : error
      }
    })

    const replyVisit = (scope: Scope, { asked }: ExecutionSpec): ReplyVisit => ({
      caller: callerOf(scope, asked.from, domainpart(parseBareJid(asked.to))),
      lifetime: config(scope.host).lifetime,
    })
    job(
      runJob,
      execution((scope, spec, outcomes) =>
        desk.completed(scope, spec, outcomes, replyVisit(scope, spec)),
      ),
    )
    job(
      prefillJob,
      execution((scope, spec, outcomes) =>
        desk.prefilled(scope, spec, outcomes, replyVisit(scope, spec)),
      ),
    )

    hooks.timer(sessionTimer, ({ scope, data }) => expireCommandSession(scope, data))
    hooks.on('session.ended', ({ scope, session }) => endSessionsOf(scope, session.resource))
  },
})

/** Only accounts of this server run commands; a guest is nobody whom a second visit would find again. */
function accountOf(scope: Scope, from: Jid): BareJid {
  const account = bare(from)
  if (account !== scope.entity || !scope.get(accountStore)) throw new StanzaError('forbidden')
  return account
}

function visitOf(
  { scope, stanza, from, session, host }: IqRequest & { readonly host: Host },
  caller: Caller,
  rest: Pick<Visit, 'planner' | 'bounds'>,
): Visit {
  if (!session) throw new StanzaError('forbidden')
  return {
    scope,
    caller,
    resource: session.resource,
    asked: { id: stanza.id ?? '', from: from as FullJid, to: host.name },
    ...rest,
  }
}

/** §2.2: not everybody is shown the same. */
function commandList(desk: Desk, caller: Caller) {
  return {
    info: {
      identities: [{ category: 'automation', type: 'command-list', name: 'Commands' }],
      features: [NS_COMMANDS],
    },
    items: desk
      .list(caller)
      .map(({ node, title }) => ({ jid: caller.addressed, node, name: title })),
  }
}

function commandNode({ title }: Offer) {
  return {
    info: {
      identities: [{ category: 'automation', type: 'command-node', name: title }],
      features: commandFeatures,
    },
    items: [],
  }
}
