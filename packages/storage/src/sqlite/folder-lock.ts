import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Another server works on the folder. The message is for an operator's eyes as it is. */
export class FolderInUse extends Error {
  readonly folder: string
  /** Process that holds it, when it left its number. */
  readonly pid: number | undefined

  constructor(folder: string, pid: number | undefined) {
    const holder = pid === undefined ? 'another process' : `process ${pid}`
    super(`The data folder ${folder} is in use by ${holder}; stop that server first.`)
    this.folder = folder
    this.pid = pid
  }
}

/**
 * Takes a folder for this process alone, making it when it is not there.
 *
 * The lock is one of the operating system, held through SQLite, so it ends with the process however that ends: no
 * stale lock can be left behind, no living one be taken for stale. The file with the process number only serves the
 * message.
 *
 * @throws {FolderInUse} while another server holds it, in this process or another
 */
export function lockFolder(folder: string): Disposable {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const pidFile = join(folder, 'server.pid')
  const lock = new DatabaseSync(join(folder, 'server.lock'))
  try {
    // The file stays empty: what counts is the lock on it.
    lock.exec('PRAGMA journal_mode = off; BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    const busy = 5
    if ((error as { errcode?: number }).errcode !== busy) throw error
    throw new FolderInUse(folder, readPid(pidFile))
  }
  writeFileSync(pidFile, `${process.pid}\n`)
  return {
    [Symbol.dispose]() {
      rmSync(pidFile, { force: true })
      lock.close()
    },
  }
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10)
    return Number.isSafeInteger(pid) ? pid : undefined
  } catch {
    return undefined
  }
}
