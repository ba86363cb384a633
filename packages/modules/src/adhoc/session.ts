import { type LiveStore, liveStore, type Scope } from '@tactus/core'
import { type FormField, StanzaError } from '@tactus/stanza'
import { commandError, sessionExpired } from './wire.ts'

/** Where somebody is in a command: live state of the account that runs it, so any router can go on with it. */
export interface CommandSession {
  readonly node: string
  /** The host that was addressed. */
  readonly host: string
  /** The resource that began it, and nobody else goes on with it (XEP-0050 §3.3). */
  readonly resource: string
  /** Index of the stage whose form was sent last. */
  readonly stage: number
  /** What was submitted so far, as text; never of a command that asks for a password. */
  readonly fields: readonly FormField[]
  /** What was looked up to fill in the form. */
  readonly filled: Readonly<Record<string, unknown>>
  /** A job is at it: nothing may be asked of it until that is done. */
  readonly running: boolean
  readonly at: number
}

/** Commands that are going on. Key: session id. */
export const commandSessionStore: LiveStore<CommandSession> = liveStore('ah')
/** First word of the timers that end them. */
export const sessionTimer = 'adhoc'

/** 128 random bits, so that nobody guesses another's. */
const idLength = 16
const idPattern = /^[\w-]{22}$/

/** Begins a command; over the bound, the one that was left alone longest makes way. */
export function beginSession(
  scope: Scope,
  session: Omit<CommandSession, 'at' | 'stage' | 'fields' | 'filled' | 'running'>,
  bounds: { readonly sessions: number; readonly lifetime: number },
): string {
  const others = [...scope.all(commandSessionStore)]
  if (others.length >= bounds.sessions) {
    const [idle] = others
      .filter(([, { running }]) => !running)
      .sort(([, one], [, other]) => one.at - other.at)
    if (!idle)
      throw new StanzaError('resource-constraint', `${others.length} commands are being run.`)
    endCommandSession(scope, idle[0])
  }
  const id = Buffer.from(scope.random(idLength)).toString('base64url')
  const fresh = { stage: 0, fields: [], filled: {}, running: false, at: scope.now }
  keepSession(scope, id, { ...session, ...fresh }, bounds.lifetime)
  return id
}

/** Keeps what changed, and gives it its time anew. */
export function keepSession(
  scope: Scope,
  id: string,
  session: CommandSession,
  lifetime: number,
): void {
  scope.set(commandSessionStore, id, { ...session, at: scope.now })
  scope.timer(`${sessionTimer} ${id}`, scope.now + lifetime, id)
}

/**
 * The session that a request goes on with.
 *
 * @throws {StanzaError} §4.4: `bad-request` for an id that this resource was never given, `not-allowed` for one that is over
 */
export function findSession(
  scope: Scope,
  id: string,
  wanted: Pick<CommandSession, 'node' | 'host' | 'resource'>,
): CommandSession {
  if (!idPattern.test(id)) throw commandError('bad-sessionid', 'There is no such session.')
  const session = scope.get(commandSessionStore, id)
  if (!session) throw sessionExpired()
  const { node, host, resource } = wanted
  if (session.node !== node || session.host !== host || session.resource !== resource)
    throw commandError('bad-sessionid', 'There is no such session.')
  return session
}

/** Ends a command; what was noted for it is forgotten. */
export function endCommandSession(scope: Scope, id: string): void {
  scope.set(commandSessionStore, id, undefined)
  scope.timer(`${sessionTimer} ${id}`, undefined)
}

/** Its time is up. One that is running is left to its job, which ends it. */
export function expireCommandSession(scope: Scope, id: string): void {
  const session = scope.get(commandSessionStore, id)
  if (session && !session.running) endCommandSession(scope, id)
}

/** A resource is gone: nobody is left to go on with what it began. */
export function endSessionsOf(scope: Scope, resource: string): void {
  for (const [id, session] of [...scope.all(commandSessionStore)])
    if (session.resource === resource) endCommandSession(scope, id)
}
