import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Config, ConfigError } from '@tactus/config'
import type { Env } from '@tactus/env'
import { FolderInUse, openPostgresStorage, openSqliteStorage, type Storage } from '@tactus/storage'

/** True where the configuration names a Postgres, not a folder. */
export function usesPostgres(config: Config): boolean {
  return config.storage.url.startsWith('postgres')
}

/** Folder of everything a server keeps besides Postgres: the embedded database, certificates, the control socket. */
export function dataFolder(config: Config): string {
  return resolve(usesPostgres(config) ? './data' : config.storage.url)
}

/**
 * Opens the storage that the configuration names; a folder is made where it does not exist.
 *
 * @throws {ConfigError} when another server holds the folder
 */
export async function openStorage(config: Config, env: Env): Promise<Storage> {
  if (usesPostgres(config)) return await openPostgresStorage({ url: config.storage.url, env })
  const folder = dataFolder(config)
  makeFolder(folder)
  try {
    return await openSqliteStorage({ folder, durability: config.storage.durability, env })
  } catch (error) {
    if (!(error instanceof FolderInUse)) throw error
    throw new ConfigError([{ origin: undefined, path: 'storage.url', message: error.message }])
  }
}

/**
 * Makes a folder that only we may read, with those that lead to it; nothing where something is there already.
 *
 * One at a time: the runtime's own way to make several tries for ever where the system says that a parent does not
 * exist although it does, as under /proc.
 */
export function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })) return
  const parent = dirname(folder)
  if (parent !== folder) makeFolder(parent)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
