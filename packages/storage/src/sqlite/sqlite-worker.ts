import { fdatasync, openSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { unpackBatches } from './packed-batches.ts'
import { SqliteDatabase } from './sqlite-database.ts'
import { faultOf, type SqliteFault } from './sqlite-errors.ts'
import type { WorkerOptions, WorkerReply, WorkerRequest } from './worker-protocol.ts'

/*
 * The thread that owns one connection. Nothing is imported here but node:sqlite and our own few files: the
 * time to start is the time to the first byte of a server.
 */

if (!parentPort) throw new Error('runs as a worker thread only')
const port = parentPort
const options: WorkerOptions = workerData

/** Flushes the log beside the commits, in the thread pool; at most once an interval, and only when there is something. */
class Flusher {
  readonly #file: string
  readonly #interval: number
  #log: number | undefined
  #timer: NodeJS.Timeout | undefined
  #failure: SqliteFault | undefined

  constructor(database: string, interval: number) {
    this.#file = `${database}-wal`
    this.#interval = interval
  }

  /** After a flush that failed nobody knows what is on the disk: nothing more is accepted until one succeeds. */
  get failure(): SqliteFault | undefined {
    return this.#failure
  }

  committed(): void {
    this.#timer ??= setTimeout(() => this.#flush(), this.#interval)
  }

  /** Closing the database flushes all; the descriptor goes with the thread. */
  close(): void {
    clearTimeout(this.#timer)
  }

  #flush(): void {
    // What is committed from here on may miss this flush, so it arms the next one.
    this.#timer = undefined
    try {
      this.#log ??= openSync(this.#file, 'r+')
    } catch (error) {
      // Without a log there is nothing in it: it is made by the first that is written.
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      this.#flushed(isMissing ? null : (error as Error))
      return
    }
    fdatasync(this.#log, (error) => this.#flushed(error))
  }

  #flushed(error: Error | null): void {
    this.#failure = error
      ? { kind: 'unavailable', code: 'SQLITE_IOERR_FSYNC', message: error.message }
      : undefined
    if (error) this.committed()
  }
}

function serve(database: SqliteDatabase, flusher: Flusher | undefined): void {
  const answer = (request: WorkerRequest): Extract<WorkerReply, { ok: true }>['value'] => {
    if (request.op === 'query') return database.query(request.sql, request.params)
    if (request.op === 'transaction') return database.transaction(unpackBatches(request.packed))
    database.forget()
    return undefined
  }

  port.on('message', (request: WorkerRequest) => {
    if (request.op === 'close') {
      flusher?.close()
      database.close()
      port.postMessage({ ok: true, value: undefined } satisfies WorkerReply)
      return port.close()
    }
    if (flusher?.failure) return reply({ ok: false, fault: flusher.failure })
    try {
      reply({ ok: true, value: answer(request) })
      flusher?.committed()
    } catch (error) {
      reply({ ok: false, fault: faultOf(error) })
    }
  })
}

function reply(message: WorkerReply): void {
  port.postMessage(message)
}

try {
  const { flushEvery, location } = options
  const database = new SqliteDatabase(options)
  serve(database, flushEvery === undefined ? undefined : new Flusher(location, flushEvery))
  reply({ ok: true, value: undefined })
} catch (error) {
  reply({ ok: false, fault: faultOf(error) })
}
