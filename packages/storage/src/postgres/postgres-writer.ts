import { type Clock, sleep } from '@tactus/env'
import type pg from 'pg'
import { StorageUnavailable } from '../storage.ts'
import { errorOf, stateOf } from './postgres-errors.ts'
import { guardState, type StepStatement } from './postgres-step.ts'

/** Milliseconds until a commit that nobody answers is given up; above every timeout of the server. */
const deadline = 10_000
/** Milliseconds between attempts to connect: doubled from the first to the last. */
const backoff = { first: 50, last: 2_000 }
/** Texts vary by table and by which columns are all NULL; past this many a statement stays without a name. */
const preparedStatements = 500

/** The connection that commits steps, and nothing else; opened anew when it is lost. */
export class PostgresWriter {
  readonly #connect: () => pg.Client
  readonly #clock: Clock
  readonly #names = new Map<string, string>()
  #opening: Promise<pg.Client> | undefined
  #client: pg.Client | undefined
  #closed = false
  #wait = 0
  #blockedUntil = 0

  constructor(connect: () => pg.Client, clock: Clock) {
    this.#connect = connect
    this.#clock = clock
  }

  /**
   * Runs a step in one round trip; false when the guard, its first statement, touched nothing.
   *
   * @throws {StorageUnavailable} @throws {StorageRefused}
   */
  async transaction(statements: readonly StepStatement[]): Promise<boolean> {
    const client = await this.#connected()
    const cancel = this.#clock.after(deadline, () => client.connection.stream.destroy())
    const settled = await Promise.allSettled(this.#send(client, statements))
    cancel()
    const results = settled.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    )
    const failed = settled.findIndex(({ status }) => status === 'rejected')
    if (failed === -1) return isCommitted(results.at(-1))
    const { reason } = settled[failed] as PromiseRejectedResult
    if (failed === 1 && stateOf(reason) === guardState) return false
    const error = errorOf(reason)
    // After a refusal the connection is at rest again. Anything else may have left a transaction behind.
    if (error instanceof StorageUnavailable) this.#drop(client)
    throw error
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => {})
    const client = this.#client
    this.#client = undefined
    await client?.end()
  }

  #send(client: pg.Client, statements: readonly StepStatement[]): Promise<pg.QueryResult>[] {
    // One packet where it fits: a process that is frozen here leaves either all of it behind or nothing.
    const { stream } = client.connection
    stream.cork()
    try {
      return [
        client.query('BEGIN'),
        ...statements.map(({ sql, params }) =>
          client.query({ ...this.#named(sql), text: sql, values: [...params] }),
        ),
        client.query('COMMIT'),
      ]
    } finally {
      stream.uncork()
    }
  }

  #named(sql: string): { readonly name?: string } {
    const known = this.#names.get(sql)
    if (known !== undefined) return { name: known }
    if (this.#names.size >= preparedStatements) return {}
    const name = `step_${this.#names.size}`
    this.#names.set(sql, name)
    return { name }
  }

  async #connected(): Promise<pg.Client> {
    if (this.#closed) throw new StorageUnavailable('The storage is closed.')
    if (this.#client) return this.#client
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #open(): Promise<pg.Client> {
    await sleep(this.#clock, Math.max(0, this.#blockedUntil - this.#clock.monotonic()))
    const client = this.#connect()
    // A connection that dies at rest says so here; without a listener that would end the process.
    client.on('error', () => this.#drop(client))
    try {
      await client.connect()
      this.#wait = 0
      this.#client = client
      return client
    } catch (error) {
      this.#wait = Math.min(Math.max(backoff.first, this.#wait * 2), backoff.last)
      this.#blockedUntil = this.#clock.monotonic() + this.#wait
      client.connection.stream.destroy()
      throw errorOf(error)
    }
  }

  #drop(client: pg.Client): void {
    if (this.#client === client) this.#client = undefined
    client.connection.stream.destroy()
  }
}

/** A transaction that failed in a way nobody reported answers its COMMIT with ROLLBACK. */
function isCommitted(last: pg.QueryResult | undefined): true {
  if (last?.command !== 'COMMIT')
    throw new StorageUnavailable(`Postgres: COMMIT was answered with ${last?.command}`)
  return true
}
