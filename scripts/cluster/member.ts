import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** One process of a cluster on this machine; its output passes through to ours. */
export class Member implements AsyncDisposable {
  readonly name: string
  /** Settles with the line it prints when it serves; rejects when it ends before. */
  readonly ready: Promise<Readonly<Record<string, unknown>>>
  readonly ended: Promise<void>
  readonly #child: ChildProcess

  constructor(
    role: 'router' | 'connection-manager',
    index: number,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
  ) {
    this.name = `${role}-${index}`
    const main = new URL(`../../services/${role}/src/main.ts`, import.meta.url).pathname
    this.#child = spawn(
      process.execPath,
      ['--conditions=source', main, ...args, '--index', String(index)],
      { env, stdio: ['ignore', 'pipe', 'inherit'] },
    )
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#tell({ event: 'exited', process: this.name, code, signal })
        resolve()
      })
    })
    this.ready = this.#watch()
    // Told by `exited` and by the exit code; nobody else needs to handle it.
    this.ready.catch(() => {})
  }

  #watch(): Promise<Readonly<Record<string, unknown>>> {
    return new Promise((resolve, reject) => {
      if (this.#child.stdout === null) return
      createInterface({ input: this.#child.stdout }).on('line', (line) => {
        process.stdout.write(`${line}\n`)
        const told = readyLine(line)
        if (told) resolve({ process: this.name, pid: this.#child.pid, ...told })
      })
      this.#child.once('exit', () => reject(new Error(`${this.name} ended before it was ready`)))
    })
  }

  #tell(record: Readonly<Record<string, unknown>>): void {
    process.stdout.write(`${JSON.stringify(record)}\n`)
  }

  /** Asks the process to drain, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.ended
  }
}

function readyLine(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{"event":"ready"')) return undefined
  return JSON.parse(line) as Readonly<Record<string, unknown>>
}
