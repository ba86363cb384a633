import { CommandError, type ModuleLog, type Scope } from '@tactus/core'
import type { Jid } from '@tactus/jid'
import { type Campaign, campaignStore } from './store.ts'
import { headlineMessage, motdRequest, noticeMessage } from './wire.ts'

/** Name of this module, of its timer and of its jobs. */
export const moduleName = 'announce'
export const pageJob = 'page'

/** How an announcement goes round. */
export interface Pace {
  /** Accounts a page. */
  readonly page: number
  /** Milliseconds between two pages. */
  readonly pause: number
}

/** A noted job: the next page of a campaign. */
export interface PageSpec {
  readonly job: typeof pageJob
  readonly id: string
  readonly host: string
  readonly after: string
  readonly limit: number
}

/** Most campaigns of a host at a time; only operators make them. */
const mostCampaigns = 10
/** How long a campaign waits where the accounts could not be read, ms. */
const retryAfter = 5_000

/** Campaigns of the scope's host that are not done. */
export function campaignsOf(scope: Scope): readonly Campaign[] {
  return scope.get(campaignStore) ?? []
}

/**
 * Begins to tell the accounts of the scope's host something.
 *
 * @throws {CommandError} `conflict` where too many are going round already
 */
export function beginCampaign(
  scope: Scope,
  { kind, subject, text }: Pick<Campaign, 'kind' | 'subject' | 'text'>,
  id: string = makeId(scope),
): string {
  const others = campaignsOf(scope)
  if (others.length >= mostCampaigns)
    throw new CommandError('conflict', `${others.length} announcements are going round already`)
  const campaign: Campaign = { id, kind, subject, text, after: '', sent: 0, at: scope.now }
  scope.set(campaignStore, '', [...others, campaign])
  wakeCampaign(scope, id)
  return id
}

/** Has the next page sent as soon as may be: a timer, because how large it is stands in the module's settings. */
export function wakeCampaign(scope: Scope, id: string): void {
  scope.timer(timerOf(id), scope.now, id)
}

/** An id that nobody guesses. */
export function makeId(scope: Scope): string {
  return Buffer.from(scope.random(12)).toString('base64url')
}

/** Ends campaigns where they are; what was sent was sent. Answers how many. */
export function stopCampaigns(scope: Scope, isMeant: (campaign: Campaign) => boolean): number {
  const all = campaignsOf(scope)
  const kept = all.filter((campaign) => !isMeant(campaign))
  for (const { id } of all.filter(isMeant)) scope.timer(timerOf(id), undefined)
  if (kept.length < all.length) keep(scope, kept)
  return all.length - kept.length
}

/** Goes on with a campaign: its pause is over. */
export function continueCampaign(scope: Scope, id: string, { page }: Pace): void {
  const campaign = campaignsOf(scope).find((known) => known.id === id)
  if (campaign) notePage(scope, campaign, page)
}

/**
 * A page of accounts is there: what they are sent and the position after them are one step, so a router that dies, or a
 * job that runs twice, sends nothing twice.
 */
export function sendPage(
  scope: Scope,
  spec: PageSpec,
  accounts: readonly string[] | undefined,
  { pace, log }: { readonly pace: Pace; readonly log: ModuleLog },
): void {
  const campaigns = campaignsOf(scope)
  const campaign = campaigns.find(({ id }) => id === spec.id)
  // It was stopped, or this page was sent: another job had the same.
  if (campaign?.after !== spec.after) return
  if (!accounts) return scope.timer(timerOf(spec.id), scope.now + retryAfter, spec.id)
  if (accounts.length > 0) sendTo(scope, campaign, accounts as readonly Jid[])
  const sent = campaign.sent + accounts.length
  const after = accounts.at(-1) ?? campaign.after
  if (accounts.length < spec.limit) {
    keep(
      scope,
      campaigns.filter((other) => other !== campaign),
    )
    const { id, kind } = campaign
    log.info('announcement_sent', { host: spec.host, id, kind, accounts: sent })
    return
  }
  const moved = { ...campaign, after, sent }
  keep(
    scope,
    campaigns.map((other) => (other === campaign ? moved : other)),
  )
  scope.timer(timerOf(spec.id), scope.now + pace.pause, spec.id)
}

function sendTo(scope: Scope, campaign: Campaign, accounts: readonly Jid[]): void {
  const { kind, text, subject } = campaign
  const said = { from: scope.host.name, id: `${campaign.id}`, subject, text }
  if (kind === 'all') return scope.multicast(accounts, noticeMessage(said), { durable: true })
  if (kind === 'online') return scope.multicast(accounts, headlineMessage(said))
  const request = motdRequest(said.from, scope.makeId(), said)
  scope.multicast(accounts, request, { durable: true })
}

function keep(scope: Scope, campaigns: readonly Campaign[]): void {
  scope.set(campaignStore, '', campaigns.length > 0 ? campaigns : undefined)
}

/** The same name for every page: there is one at a time, and a second note of it replaces the first. */
function notePage(scope: Scope, { id, after }: Campaign, limit: number): void {
  const spec: PageSpec = { job: pageJob, id, host: scope.host.name, after, limit }
  scope.job(moduleName, timerOf(id), spec)
}

function timerOf(id: string): string {
  return `${moduleName} ${id}`
}
