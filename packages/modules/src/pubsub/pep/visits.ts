import { isFrom, type ModuleContext, type Scope } from '@tactus/core'
import type { PubsubConfig } from '../limits.ts'
import type { Service } from '../service.ts'
import { sendLastItems } from './account.ts'
import {
  type Arrived,
  forgetVisitors,
  visited,
  visitorAnswered,
  visitorsLetIn,
} from './elsewhere.ts'
import type { InterestState, Interests } from './interests.ts'

type Context = ModuleContext<PubsubConfig, InterestState, Record<never, never>>

/** Looks after resources of contacts on other servers, whose servers know nothing of ours (XEP-0163 §4.3.2). */
export function serveVisitors(
  { hooks, config }: Pick<Context, 'hooks' | 'config'>,
  serviceOf: (scope: Scope) => Service,
  interests: Interests,
): void {
  const greet = (scope: Scope, { jid, names, ago }: Arrived): void =>
    sendLastItems(serviceOf(scope), jid, { names, ago })

  hooks.on('presence.received', ({ scope, from, presence }) => {
    const terms = { interests, most: config(scope.host).visitors }
    const arrived = visited(scope, { from, presence }, terms)
    if (arrived) greet(scope, arrived)
  })
  hooks.on('iq.answered', ({ scope, from, answer }) => {
    const arrived = visitorAnswered(scope, { from, answer }, interests)
    if (arrived) greet(scope, arrived)
  })
  hooks.on('roster.changed', ({ scope, contact, before }) => {
    const wasLetIn = before !== undefined && isFrom(before)
    for (const arrived of visitorsLetIn(scope, contact, wasLetIn)) greet(scope, arrived)
  })
  hooks.on('account.deleted', ({ scope }) => forgetVisitors(scope))
}
