import { joinRedisBus } from '@tactus/bus'
import type { Config } from '@tactus/config'
import { CommandClient } from '@tactus/core'
import type { Env } from '@tactus/env'
import { commandCatalogue, dataFolder } from '@tactus/router'
import { runOnControlSocket, startOffline } from '@tactus/standalone'
import { createLogger, type Logger } from '@tactus/telemetry'

/** Where a command runs: in the running server, in the cluster, or in a server that is started only for it. */
export interface Place {
  readonly config: Config
  readonly env: Env
  readonly version: string
}

/** Runs a registered command wherever the configuration says the server is. @throws {CommandError} */
export async function runCommand(place: Place, name: string, given: unknown): Promise<unknown> {
  if (place.config.bus.url !== 'memory') return await runInCluster(place, name, given)
  const answered = await runOnControlSocket(dataFolder(place.config), name, given)
  return answered ? answered.output : await runOffline(place, name, given)
}

/** The server is not running: its data is opened for this one command; the folder's lock keeps others out. */
async function runOffline(place: Place, name: string, given: unknown): Promise<unknown> {
  await using offline = await startOffline({ ...place, log: quietLog() })
  return await offline.commands.run(name, given)
}

async function runInCluster(
  { config, env }: Place,
  name: string,
  given: unknown,
): Promise<unknown> {
  await using bus = await joinRedisBus({ url: config.bus.url, env, cluster: config.cluster.id })
  await using client = new CommandClient({
    bus,
    env,
    instance: `control-${Buffer.from(env.random(9)).toString('base64url')}`,
    partitions: config.cluster.partitions,
    commands: commandCatalogue(),
  })
  return await client.run(name, given)
}

/** Only what went wrong, on standard error: standard output is the command's answer. */
export function quietLog(): Logger {
  return createLogger({
    level: 'warn',
    format: 'pretty',
    write: (line) => process.stderr.write(line),
  })
}
