import type { Bus } from '@tactus/bus'
import { readLive, readOccupied } from '@tactus/cluster'
import { type BareJid, bare, domainpart, parseFullJid, parseJid } from '@tactus/jid'
import type { LiveSession, OnlineAccount, OnlineQuery, SessionQuery } from './commands.ts'
import { hibernationTimer } from './session-end.ts'
import { sessionStore } from './session-state.ts'

/** Timers of a partition that are looked at for sessions that wait to be resumed. */
const mostTimers = 20_000
/** Accounts whose sessions are read at once. */
const atOnce = 50

/** The bound resources of an account as the last commit left them, oldest first. */
export async function liveSessions(bus: Bus, account: BareJid): Promise<readonly LiveSession[]> {
  const records = await readLive(bus, sessionStore, account)
  return [...records.values()]
    .map(({ resource, attached, inactive, since, info }) => ({
      jid: `${account}/${resource}`,
      attached,
      active: attached && inactive !== true,
      since,
      info,
    }))
    .sort((one, other) => one.since - other.since)
}

/**
 * One page of the sessions of all accounts, ordered by account, then resource.
 *
 * Partition by partition and no more accounts in memory than the page can hold, so that it is safe on a full cluster.
 * What binds or ends meanwhile may or may not be on the page.
 */
export async function allLiveSessions(
  bus: Bus,
  partitions: number,
  { host, after, limit }: SessionQuery,
): Promise<readonly LiveSession[]> {
  const last = after === undefined ? undefined : parseFullJid(after)
  const accounts = await occupiedAccounts(bus, partitions, { host, last, limit })
  const found: LiveSession[] = []
  for (let at = 0; at < accounts.length && found.length < limit; at += atOnce) {
    const chunk = accounts.slice(at, at + atOnce)
    const lists = await Promise.all(chunk.map((account) => liveSessions(bus, account)))
    for (const list of lists)
      found.push(...list.toSorted((one, other) => order(one.jid, other.jid)))
    if (at === 0 && last !== undefined) drop(found, last)
  }
  return found.slice(0, limit)
}

/**
 * Accounts that somebody is logged in to, by address; the sessions of no more than a few are in memory at once.
 *
 * What binds or ends meanwhile may or may not be among them.
 */
export async function onlineAccounts(
  bus: Bus,
  partitions: number,
  { host, after, limit = Number.MAX_SAFE_INTEGER, active }: OnlineQuery,
): Promise<readonly OnlineAccount[]> {
  const accounts = await everyOccupied(bus, partitions, isOnHost(host, after))
  const found: OnlineAccount[] = []
  for (let at = 0; at < accounts.length && found.length < limit; at += atOnce) {
    const chunk = accounts.slice(at, at + atOnce)
    const lists = await Promise.all(chunk.map((account) => liveSessions(bus, account)))
    for (const [index, sessions] of lists.entries()) {
      const account = { jid: chunk[index] ?? '', active: sessions.some((one) => one.active) }
      const isWanted = active === undefined || active === account.active
      if (sessions.length > 0 && isWanted) found.push(account)
    }
  }
  return found.slice(0, limit)
}

function isOnHost(host: string, after: string | undefined): (account: BareJid) => boolean {
  return (account) =>
    domainpart(account) === host && (after === undefined || order(account, after) > 0)
}

async function everyOccupied(
  bus: Bus,
  partitions: number,
  isWanted: (account: BareJid) => boolean,
): Promise<readonly BareJid[]> {
  const timers = { timer: hibernationTimer(''), most: mostTimers }
  const accounts: BareJid[] = []
  for (let partition = 0; partition < partitions; partition += 1) {
    const occupied = (await readOccupied(bus, partition, timers)) as ReadonlySet<BareJid>
    for (const account of occupied) if (isWanted(account)) accounts.push(account)
  }
  return accounts.sort(order)
}

/** Takes out what was on the page before: it can only be of the account that page ended with. */
function drop(found: LiveSession[], last: string): void {
  const account = bare(parseJid(last))
  const rest = found.filter(({ jid }) => bare(parseJid(jid)) !== account || order(jid, last) > 0)
  found.splice(0, found.length, ...rest)
}

interface AccountPage {
  readonly host: string | undefined
  readonly last: string | undefined
  readonly limit: number
}

async function occupiedAccounts(
  bus: Bus,
  partitions: number,
  page: AccountPage,
): Promise<readonly BareJid[]> {
  // The first account may have nothing left to show, and an account that just lost its last session has none.
  const kept = page.limit + atOnce
  const wanted = isOnPage(page)
  const timers = { timer: hibernationTimer(''), most: mostTimers }
  let accounts: BareJid[] = []
  for (let partition = 0; partition < partitions; partition += 1) {
    const occupied = (await readOccupied(bus, partition, timers)) as ReadonlySet<BareJid>
    accounts.push(...[...occupied].filter(wanted))
    if (accounts.length > kept) accounts = accounts.sort(order).slice(0, kept)
  }
  return accounts.sort(order)
}

function isOnPage({ host, last }: AccountPage): (account: BareJid) => boolean {
  const first = last === undefined ? undefined : bare(parseJid(last))
  return (account) =>
    (host === undefined || domainpart(account) === host) &&
    (first === undefined || order(account, first) >= 0)
}

/** By code unit: the same on every machine, whatever its locale is. */
function order(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
