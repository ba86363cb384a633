import type { Logger } from './logger.ts'
import { explainTrouble } from './trouble.ts'

/** What a program may say about its own end while `run` runs it. */
export interface Lifecycle {
  /** Aborts when the end begins: whatever waits or retries should look at it. */
  readonly stopping: AbortSignal
  /** Disposes of a resource at the end, the latest one first. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T
  /**
   * Does something before anything is disposed of, together with all other drains.
   *
   * The signal aborts when the time for draining is over.
   */
  onDrain(drain: (deadline: AbortSignal) => Promise<void>): void
  /** How long draining may take from now on, in milliseconds; for who reads it from a configuration. */
  drainWithin(duration: number): void
  /** Sends what happens to the process to this log, and flushes it last. */
  logTo(log: Logger): void
  /** Ends the program as a signal would: drain, dispose, exit code 0. */
  stop(reason: string): void
}

/** How long an end may take, in milliseconds. */
export interface RunOptions {
  readonly drainWithin?: number
  /** From the end of draining until the process is ended whatever still holds it. */
  readonly lastResort?: number
}

const signals = ['SIGINT', 'SIGTERM'] as const

/**
 * One Ctrl-C can arrive several times: from the terminal, which tells the whole group, and from npm,
 * which passes it on. A repeat within this many milliseconds is that, and not impatience.
 */
const echoWithin = 1_000

/** A bug got through: the state is not to be trusted, so nothing is drained. */
const bugExitCode = 70

class Run implements Lifecycle {
  readonly #stopping = new AbortController()
  readonly #resources = new AsyncDisposableStack()
  readonly #drains: ((deadline: AbortSignal) => Promise<void>)[] = []
  readonly #lastResort: number
  #drainWithin: number
  #log: Logger | undefined
  #mayDrain = true

  constructor({ drainWithin = 30_000, lastResort = 30_000 }: RunOptions) {
    this.#drainWithin = drainWithin
    this.#lastResort = lastResort
  }

  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    return this.#resources.use(resource)
  }

  onDrain(drain: (deadline: AbortSignal) => Promise<void>): void {
    this.#drains.push(drain)
  }

  drainWithin(duration: number): void {
    this.#drainWithin = duration
  }

  logTo(log: Logger): void {
    this.#log = log
  }

  stop(reason: string): void {
    if (this.stopping.aborted) return
    this.#log?.info('shutdown_started', { reason })
    this.#stopping.abort(reason)
  }

  /** Reports what went wrong and ends without draining. */
  fail(error: unknown): void {
    const trouble = explainTrouble(error)
    if (process.exitCode === undefined || process.exitCode === 0)
      process.exitCode = trouble?.exitCode ?? bugExitCode
    if (trouble) process.stderr.write(`tactus: ${trouble.text}\n`)
    else if (this.#log) this.#log.error('process_failed', { err: error })
    else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    this.#mayDrain = false
    this.#stopping.abort('failure')
  }

  async end(): Promise<void> {
    if (this.#mayDrain) await this.#drain()
    this.#armLastResort()
    try {
      await this.#resources.disposeAsync()
    } catch (error) {
      this.fail(error)
    }
    this.#log?.info('shutdown_finished', { exit_code: process.exitCode ?? 0 })
    this.#log?.flush()
  }

  async #drain(): Promise<void> {
    const deadline = AbortSignal.timeout(this.#drainWithin)
    const late = new Promise<void>((resolve) => {
      deadline.addEventListener('abort', () => resolve(), { once: true })
    })
    const drains = this.#drains.map(async (drain) => drain(deadline))
    const results = await Promise.race([Promise.allSettled(drains), late])
    if (!results) this.#log?.warn('drain_cut_short', { within: this.#drainWithin })
    for (const result of results ?? [])
      if (result.status === 'rejected') this.#log?.error('drain_failed', { err: result.reason })
  }

  /** Unref'd: it can only fire when something that nobody disposed of keeps the process alive. */
  #armLastResort(): void {
    const end = (): never => {
      this.#log?.error('exit_forced', { after: this.#lastResort })
      this.#log?.flush()
      process.exit(process.exitCode || bugExitCode)
    }
    setTimeout(end, this.#lastResort).unref()
  }
}

/** Listens for the signals that end a process; returns what stops listening. */
function onSignals(run: Run): () => void {
  let first: number | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      first = performance.now()
      run.stop(signal)
    } else if (performance.now() - first > echoWithin) {
      // Someone insists: die of the signal, as one who never listened would.
      forget()
      process.kill(process.pid, signal)
    }
  }
  const forget = (): void => {
    for (const signal of signals) process.off(signal, onSignal)
  }
  for (const signal of signals) process.on(signal, onSignal)
  return forget
}

/**
 * Goes on when whoever read our output is gone: that costs the log, and must not cost the service.
 *
 * For good: what is still written at the very end may fail as well.
 */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr])
    if (stream.listenerCount('error') === 0) stream.on('error', () => {})
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/**
 * Runs a program: `main` starts it and returns; a signal, `stop` or a failure ends it.
 *
 * The end: drains run together, then resources are disposed of in reverse, then the process exits by
 * itself, with 0 after a signal, 78 for what is wrong with its configuration or machine (told in a
 * sentence), 69 when what it needs cannot be reached, and 70 for a bug (told with its stack).
 * A second Ctrl-C does not wait.
 */
export async function run(
  main: (life: Lifecycle) => Promise<void>,
  options: RunOptions = {},
): Promise<void> {
  const life = new Run(options)
  const fail = (error: unknown): void => life.fail(error)
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  const forget = onSignals(life)
  outliveReaders()
  // Keeps the process alive while nothing else does: timeouts of signals are unref'd.
  const heartbeat = setInterval(() => {}, 2 ** 30)
  try {
    await Promise.race([main(life), aborted(life.stopping)])
    await aborted(life.stopping)
  } catch (error) {
    life.fail(error)
  }
  await life.end()
  clearInterval(heartbeat)
  forget()
}
