import { type BareJid, bare, domainpart, type Jid, localpart, tryParseJid } from '@tactus/jid'
import type { CommandAccess, CommandDefinition } from './commands.ts'

/** An account that runs a command. */
export interface CommandCaller {
  readonly account: BareJid
  /** It administers the whole cluster. */
  readonly cluster: boolean
  /** The host that it administers. */
  readonly host: string | undefined
  /** The domains of that host's services, whose rooms and the like are the same administrator's. */
  readonly services?: readonly string[]
  /** Tells whether another account administers the whole cluster. */
  isClusterAdmin(account: BareJid): boolean
}

/** Whether there is any input with which this account may run the command: whether it is shown. */
export function mayEverRun(command: CommandDefinition, caller: CommandCaller): boolean {
  if (command.internal === true || !command.access) return false
  const { level } = command.access
  return caller.cluster || level === 'account' || (level === 'host' && caller.host !== undefined)
}

/**
 * Whether this account may run the command with what it gave.
 *
 * SECURITY: an administrator of a host must not lay hands on an account that administers the cluster, though it be of
 * that host: with a new password it would be theirs.
 * @param given as the command's form has it, parsed
 */
export function mayRun(command: CommandDefinition, caller: CommandCaller, given: unknown): boolean {
  if (!mayEverRun(command, caller)) return false
  if (caller.cluster) return true
  const about = aboutOf(command, given)
  if (!about) return false
  if (command.access?.level === 'account' && bare(about) === caller.account) return true
  const domain = domainpart(about)
  if (domain !== caller.host && caller.services?.includes(domain) !== true) return false
  return localpart(about) === undefined || !caller.isClusterAdmin(bare(about))
}

function aboutOf(command: CommandDefinition, given: unknown): Jid | undefined {
  const access = command.access as CommandAccess<unknown> | undefined
  const about = access?.about
    ? access.about(given)
    : command.mode === 'write'
      ? command.entity(given as never)
      : undefined
  return about === undefined ? undefined : tryParseJid(about)
}
