import pg from 'pg'
import { StorageRefused, StorageUnavailable } from '../storage.ts'

/** What becomes of a step after an error: the same again, or the rows are at fault. */
export type Verdict = 'unavailable' | 'refused'

/**
 * Classes of SQLSTATE, all that Postgres documents (appendix A of its manual).
 *
 * The question is only ever: can the very same transaction succeed later? Where an answer depends on the operator
 * (a wrong password, a full disk, a standby), it can.
 */
const classes: Readonly<Record<string, Verdict>> = {
  '00': 'unavailable', // success, which is no error: nobody knows then
  '01': 'unavailable', // warning
  '02': 'refused', // no data
  '03': 'refused', // statement not complete
  '08': 'unavailable', // connection exception
  '09': 'refused', // triggered action
  '0A': 'refused', // feature not supported
  '0B': 'refused', // invalid transaction initiation
  '0F': 'refused', // locator
  '0L': 'refused', // invalid grantor
  '0P': 'refused', // invalid role
  '0Z': 'refused', // diagnostics
  '10': 'refused', // XQuery
  '20': 'refused', // case not found
  '21': 'refused', // cardinality
  '22': 'refused', // data exception
  '23': 'refused', // integrity constraint
  '24': 'refused', // invalid cursor state
  '25': 'unavailable', // transaction state: read-only on a standby, ended by a timeout
  '26': 'unavailable', // prepared statement is not there: gone with its connection
  '27': 'refused', // triggered data change
  '28': 'unavailable', // authorization
  '2B': 'refused', // dependent privilege descriptors
  '2D': 'unavailable', // transaction termination
  '2F': 'refused', // SQL routine
  '34': 'refused', // cursor name
  '38': 'refused', // external routine
  '39': 'refused', // external routine invocation
  '3B': 'refused', // savepoint
  '3D': 'unavailable', // no such database
  '3F': 'refused', // schema name
  '40': 'unavailable', // rolled back: serialization, deadlock, unknown completion
  '42': 'refused', // syntax, access rule, no such table
  '44': 'refused', // WITH CHECK OPTION
  '53': 'unavailable', // disk full, out of memory, too many connections
  '54': 'refused', // program limit exceeded
  '55': 'refused', // object not in prerequisite state
  '57': 'unavailable', // operator intervention: shutdown, crash, timeouts
  '58': 'unavailable', // system error: I/O
  '72': 'unavailable', // snapshot too old
  F0: 'unavailable', // configuration file
  HV: 'refused', // foreign data wrapper
  P0: 'refused', // raised in a function
  XX: 'refused', // internal error: were the rows its cause, repeating them would stop everybody
}

/** Where one state differs from its class. */
const states: Readonly<Record<string, Verdict>> = {
  '40002': 'refused', // a constraint that was deferred to the end
  '55006': 'unavailable', // object in use
  '55P03': 'unavailable', // lock not available in time
  XX001: 'unavailable', // data corrupted
  XX002: 'unavailable', // index corrupted
}

/** What a SQLSTATE means for the step; one of an unknown class is refused, so that it cannot stop everybody. */
export function verdictOf(state: string): Verdict {
  return states[state] ?? classes[state.slice(0, 2)] ?? 'refused'
}

/** The port's exception for whatever the driver threw. Without a SQLSTATE it came from the network: outcome unknown. */
export function errorOf(error: unknown): StorageRefused | StorageUnavailable {
  if (error instanceof StorageRefused || error instanceof StorageUnavailable) return error
  const state = stateOf(error)
  const { message } = error as Error
  if (state === undefined) return new StorageUnavailable(`Postgres: ${message}`, { cause: error })
  if (verdictOf(state) === 'refused')
    return new StorageRefused(state, `Postgres: ${message} (${state})`, { cause: error })
  return new StorageUnavailable(`Postgres: ${message} (${state})`, { cause: error })
}

/** The SQLSTATE of an error that the server sent. */
export function stateOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}
