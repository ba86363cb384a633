import { readFileSync } from 'node:fs'

/** Variables of a process, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Reads a secret's file without the line break that editors and `echo` leave at its end. */
export const readSecretFile = (path: string): string =>
  readFileSync(path, 'utf8').replace(/\r?\n$/, '')

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
}

/** Why a file could not be read, as the end of a sentence. */
export function fileTrouble(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return reasons[code] ?? (error instanceof Error ? error.message : String(error))
}

function lookUp(kind: string, name: string, environment: Environment): string {
  if (kind === 'file') {
    try {
      return readSecretFile(name)
    } catch (error) {
      throw new Error(`cannot read ${name}: ${fileTrouble(error)}`)
    }
  }
  const value = environment[name]
  if (value === undefined) throw new Error(`the environment variable ${name} is not set`)
  return value
}

/**
 * Replaces `${env:NAME}` and `${file:/path}`; `$${` stands for `${` itself.
 *
 * What is put in is not looked at again: a password may contain anything.
 *
 * @throws {Error} with a sentence, when the variable is not set or the file cannot be read
 */
export function interpolate(text: string, environment: Environment): string {
  return text.replace(/\$?\$\{(?:(env|file):([^}]+))?[^}]*\}?/g, (match, kind, name) => {
    if (match.startsWith('$$')) return match.slice(1)
    if (!kind) throw new Error(`expected \${env:NAME} or \${file:/path}, found ${match}`)
    return lookUp(kind, name, environment)
  })
}
