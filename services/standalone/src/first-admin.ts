import type { Config } from '@tactus/config'
import { type CommandClient, CommandError } from '@tactus/core'
import type { Env } from '@tactus/env'

/** The account that a new server is administered with; shown once. */
export interface FirstAdmin {
  readonly jid: string
  readonly password: string
}

/** Makes an administrator where the first host has no account at all; undefined when there is one. */
export async function makeFirstAdmin(
  commands: CommandClient,
  config: Config,
  env: Env,
): Promise<FirstAdmin | undefined> {
  const host = Object.entries(config.hosts).find(([, { auth }]) => !auth.anonymous)?.[0]
  if (host === undefined) return undefined
  const { users } = (await commands.run('user list', { host, limit: 1 })) as {
    users: readonly unknown[]
  }
  if (users.length > 0) return undefined
  const jid = `admin@${host}`
  const password = Buffer.from(env.random(12)).toString('base64url')
  try {
    await commands.run('user add', { jid, password })
    await commands.run('user role', { jid, role: 'admin' })
  } catch (error) {
    if (error instanceof CommandError && error.code === 'conflict') return undefined
    throw error
  }
  return { jid, password }
}
