import { type Config, type Loaded, renderJsonSchema, showConfig, withModules } from '@tactus/config'
import type { Env } from '@tactus/env'
import { moduleSchemas, openStorage, routerMigrations } from '@tactus/router'

/** What a command that needs no server works with. */
export interface LocalPlace {
  readonly loaded: Loaded<Config>
  readonly env: Env
  readonly version: string
}

/** A command that tactusctl carries out by itself. */
export interface LocalCommand {
  readonly name: string
  readonly summary: string
  run(place: LocalPlace): Promise<unknown>
}

/** Commands about this machine's files and database; everything else is a registered command. */
export const localCommands: readonly LocalCommand[] = [
  {
    name: 'config check',
    summary: 'Check the configuration; all mistakes are shown with their lines.',
    run: ({ loaded }) => Promise.resolve(`${loaded.file ?? 'the built-in configuration'} is fine`),
  },
  {
    name: 'config show',
    summary: 'Show every setting with where it comes from; secrets are masked.',
    run: ({ loaded }) => Promise.resolve(showConfig(loaded)),
  },
  {
    name: 'config schema',
    summary: 'Print the JSON schema of the configuration, for editors.',
    run: () => Promise.resolve(renderJsonSchema(withModules(moduleSchemas()))),
  },
  {
    name: 'migrate',
    summary: 'Bring the database up to date; safe when several do it at once.',
    async run({ loaded, env }) {
      await using storage = await openStorage(loaded.config, env)
      return { migrated: await storage.migrate(routerMigrations()) }
    },
  },
  {
    name: 'version',
    summary: 'Show the version.',
    run: ({ version }) => Promise.resolve(version),
  },
]
