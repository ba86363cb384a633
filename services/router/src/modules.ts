import { deadLetterMigration } from '@tactus/cluster'
import {
  busStatus,
  CommandRegistry,
  instanceDrain,
  instanceList,
  instanceUndrain,
  s2sCommands,
} from '@tactus/core'
import { catalogue } from '@tactus/modules'
import { coreMigrations, type Migration } from '@tactus/storage'
import type { z } from 'zod'

/** The configuration schemas of all modules, for `loadConfig`. */
export function moduleSchemas(): Readonly<Record<string, z.ZodType>> {
  return Object.fromEntries(catalogue.map(({ name, config }) => [name, config]))
}

/** All commands, without a router: what tactusctl knows before it is connected. */
export function commandCatalogue(): CommandRegistry {
  const registry = new CommandRegistry()
  const own = [busStatus, instanceList, instanceDrain, instanceUndrain, ...s2sCommands]
  for (const command of [...own, ...catalogue.flatMap(({ commands }) => commands)])
    registry.add(command)
  return registry
}

/** All migrations: the core's own and the modules'. */
export function routerMigrations(): readonly Migration[] {
  return [
    ...coreMigrations,
    deadLetterMigration,
    ...catalogue.flatMap(({ migrations }) => migrations),
  ]
}
