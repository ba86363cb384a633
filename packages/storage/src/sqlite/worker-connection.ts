import { Worker } from 'node:worker_threads'
import type { Cell } from '../rows.ts'
import { StorageUnavailable } from '../storage.ts'
import { packBatches } from './packed-batches.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import type { Answer, Batch } from './sqlite-database.ts'
import { errorOf } from './sqlite-errors.ts'
import type { WorkerOptions, WorkerReply, WorkerRequest } from './worker-protocol.ts'

/** Next to this file, in whichever form this file itself is running. */
const script = new URL(
  import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js',
  import.meta.url,
)

interface Waiting {
  resolve(value: Answer | readonly Answer[] | undefined): void
  reject(error: Error): void
}

/**
 * A connection in a thread of its own, so that no disk ever holds up the event loop.
 *
 * The thread is started with the first call, and again with the next one should it die: what was open then is
 * answered as unknown, which is what it is.
 */
export class WorkerConnection implements SqliteConnection {
  readonly #options: WorkerOptions
  #worker: Worker | undefined
  #waiting: Waiting[] = []
  #closed = false

  constructor(options: WorkerOptions) {
    this.#options = options
  }

  /** Starts the thread and waits until the database is open. */
  async open(): Promise<void> {
    await this.query('SELECT 1', [])
  }

  async query(sql: string, params: readonly Cell[]): Promise<Answer> {
    return (await this.#ask({ op: 'query', sql, params: params.map(compact) })) as Answer
  }

  async transaction(batches: readonly Batch[]): Promise<readonly Answer[] | undefined> {
    const packed = packBatches(batches)
    const answers = await this.#ask({ op: 'transaction', packed }, [packed.bytes.buffer])
    return answers as readonly Answer[] | undefined
  }

  async forget(): Promise<void> {
    if (this.#worker) await this.#ask({ op: 'forget' })
  }

  async close(): Promise<void> {
    const worker = this.#worker
    if (worker) await this.#ask({ op: 'close' })
    this.#closed = true
    this.#worker = undefined
    await worker?.terminate()
  }

  #ask(
    request: WorkerRequest,
    transferred: readonly ArrayBuffer[] = [],
  ): Promise<Answer | readonly Answer[] | undefined> {
    if (this.#closed) return Promise.reject(new StorageUnavailable('The database is closed.'))
    this.#worker ??= this.#start()
    const worker = this.#worker
    return new Promise((resolve, reject) => {
      // First what may throw: who waits without having asked would get the answers of others.
      worker.postMessage(request, transferred)
      this.#waiting.push({ resolve, reject })
    })
  }

  #start(): Worker {
    const worker = new Worker(script, { workerData: this.#options })
    this.#waiting.push({
      resolve: () => {},
      reject: (error) => this.#died(worker, error),
    })
    worker.on('message', (reply: WorkerReply) => {
      const waiting = this.#waiting.shift()
      if (reply.ok) waiting?.resolve(reply.value)
      else waiting?.reject(errorOf(reply.fault))
    })
    worker.on('error', (error) => this.#died(worker, error as Error))
    worker.on('exit', () => this.#died(worker, new Error('thread ended')))
    return worker
  }

  #died(worker: Worker, cause: Error): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    const waiting = this.#waiting
    this.#waiting = []
    const error = new StorageUnavailable(`The database thread stopped: ${cause.message}`, { cause })
    for (const { reject } of waiting) reject(error)
    worker.removeAllListeners()
    void worker.terminate()
  }
}

/** A view is sent with all of the buffer behind it, and small Buffers share 8 KiB of that. */
function compact(cell: Cell): Cell {
  if (cell === null || typeof cell !== 'object') return cell
  return cell.byteLength === cell.buffer.byteLength ? cell : new Uint8Array(cell)
}
