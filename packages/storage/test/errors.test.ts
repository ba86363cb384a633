import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { StorageRefused, StorageUnavailable } from '../src/index.ts'
import { errorOf, verdictOf } from '../src/postgres/postgres-errors.ts'
import { faultOf } from '../src/sqlite/sqlite-errors.ts'

/** Every class of appendix A of the Postgres manual, and every state that must not be taken for its class. */
const unavailable =
  '08000 08003 08006 08001 08004 08007 08P01 25000 25001 25006 25P02 25P03 25P04 26000 28000 28P01 2D000 3D000 ' +
  '40000 40001 40003 40P01 53000 53100 53200 53300 53400 55006 55P03 57000 57014 57P01 57P02 57P03 57P04 57P05 ' +
  '58000 58030 58P01 58P02 58P03 72000 F0000 F0001 XX001 XX002 00000 01000'
const refused =
  '02000 03000 09000 0A000 0B000 0F000 0L000 0P000 0Z000 10608 20000 21000 22000 22001 22003 22012 22021 22P02 22P05 ' +
  '23000 23001 23502 23503 23505 23514 23P01 24000 27000 2B000 2F000 34000 38000 39000 3B000 3F000 40002 ' +
  '42000 42501 42601 42703 42804 42883 42P01 42P10 44000 54000 54001 54011 54023 55000 55P02 HV000 P0000 P0001 XX000'

test('§3.10: each SQLSTATE is either repeated or refused', () => {
  for (const state of unavailable.split(' ')) assert.equal(verdictOf(state), 'unavailable', state)
  for (const state of refused.split(' ')) assert.equal(verdictOf(state), 'refused', state)
})

test('§3.10: a state that nobody knows yet is refused, so that it cannot stop everybody', () => {
  assert.equal(verdictOf('ZZ123'), 'refused')
})

test('errors keep their cause and their SQLSTATE', () => {
  const thrown = new pg.DatabaseError('duplicate key', 1, 'error')
  thrown.code = '23505'
  const error = errorOf(thrown)
  assert(error instanceof StorageRefused)
  assert.equal(error.code, '23505')
  assert.equal(error.cause, thrown)
  assert.match(error.message, /duplicate key.*23505/)
})

test('errors of the network say nothing about the rows, even where their code has five letters', () => {
  const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
  assert(errorOf(broken) instanceof StorageUnavailable)
  assert(errorOf(new Error('Connection terminated unexpectedly')) instanceof StorageUnavailable)
})

test('SQLite: busy, full, read-only, I/O and damage are repeated, constraints and types refused', () => {
  const kindOf = (errcode: number): string =>
    faultOf(Object.assign(new Error('x'), { errcode, code: 'ERR_SQLITE_ERROR' })).kind
  // SQLITE_IOERR_FSYNC and SQLITE_BUSY_SNAPSHOT are extended codes.
  for (const code of [5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 26, 10 | (4 << 8), 5 | (2 << 8)])
    assert.equal(kindOf(code), 'unavailable', String(code))
  // SQLITE_CONSTRAINT_UNIQUE is one.
  for (const code of [1, 18, 19, 20, 25, 19 | (8 << 8)])
    assert.equal(kindOf(code), 'refused', String(code))
  assert.equal(faultOf(new TypeError('cannot be bound')).kind, 'refused')
})
