/** What to tell the person who started us, and how to end. */
export interface Trouble {
  /** One sentence, or one line a problem; without a stack. */
  readonly text: string
  readonly exitCode: number
}

/** Exit codes of sysexits.h: supervisors can tell "mend me" from "try again". */
const exitCodes = { unavailable: 69, config: 78 }

interface SystemError extends Error {
  readonly code: string
  readonly syscall?: string
  readonly address?: string
  readonly port?: number
  readonly path?: string
}

const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'

const place = ({ address, port, path }: SystemError): string => {
  if (address === undefined) return path ?? 'an address'
  const host = address.includes(':') ? `[${address}]` : address
  return port === undefined ? host : `${host}:${port}`
}

const config = (text: string): Trouble => ({ text, exitCode: exitCodes.config })

function listenTrouble(error: SystemError): Trouble {
  const where = place(error)
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `${where} is already in use: stop the program that listens there or choose another port under "listen".`,
    EACCES: `Listening on ${where} is not permitted: ports below 1024 need a privilege, so choose a higher one under "listen".`,
    EADDRNOTAVAIL: `${where} is not an address of this machine: change it under "listen".`,
    EAFNOSUPPORT: `This machine does not speak the protocol of ${where}: change it under "listen".`,
    ENOTFOUND: `The host to listen on (${where}) is not known here: change it under "listen".`,
  }
  return config(reasons[error.code] ?? `Listening on ${where} failed (${error.code}).`)
}

const fileReasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
  EEXIST: 'something else is there',
  ENOENT: 'it does not exist',
}

function systemTrouble(error: SystemError): Trouble | undefined {
  if (error.syscall === 'listen' || error.syscall === 'bind') return listenTrouble(error)
  if (error.syscall === 'getaddrinfo' || error.syscall === 'connect') {
    const text = `Cannot reach ${place(error)} (${error.code}).`
    return { text, exitCode: exitCodes.unavailable }
  }
  const reason = fileReasons[error.code]
  return reason && error.path ? config(`Cannot use ${error.path}: ${reason}.`) : undefined
}

/**
 * Tells what a person can mend from what is a bug: the first gets a sentence, the second undefined
 * (and so a stack).
 *
 * An error that carries a numeric `exitCode` says itself that its message is for people.
 */
export function explainTrouble(error: unknown): Trouble | undefined {
  if (!(error instanceof Error)) return undefined
  if ('exitCode' in error && typeof error.exitCode === 'number')
    return { text: error.message, exitCode: error.exitCode }
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : error
  if (isSystemError(inner)) return systemTrouble(inner)
  return error.cause === undefined ? undefined : explainTrouble(error.cause)
}
