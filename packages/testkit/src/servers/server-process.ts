import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

/** A test that dies must not leave servers behind. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** What a server process told when it was ready: its ports by listener, its instance id. */
export interface Ready {
  readonly ports: Readonly<Record<string, readonly number[]>>
  readonly instance?: string
}

/** A Tactus process in a test: started, watched, killed. */
export class ServerProcess implements AsyncDisposable {
  readonly name: string
  readonly #child: ChildProcess
  readonly #lines: string[] = []
  readonly #exit: Promise<number | NodeJS.Signals>
  readonly ready: Promise<Ready>

  /** `script` is relative to the repository. */
  constructor(name: string, script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.name = name
    this.#child = spawn(process.execPath, ['--conditions=source', root + script, ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#exit = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve(signal ?? code ?? 0))
    })
    running.add(this.#child)
    this.#child.once('exit', () => running.delete(this.#child))
    this.ready = this.#watch()
    this.ready.catch(() => {})
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Everything it printed, newest last; bounded. */
  get output(): string {
    return this.#lines.join('\n')
  }

  /** Settles with the exit code or the signal that ended it. */
  get exited(): Promise<number | NodeJS.Signals> {
    return this.#exit
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
  }

  /** Asks it to end and waits. */
  async stop(): Promise<number | NodeJS.Signals> {
    this.#child.kill('SIGTERM')
    return await this.#exit
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  #watch(): Promise<Ready> {
    const { stdout, stderr } = this.#child
    if (stderr) createInterface({ input: stderr }).on('line', (line) => this.#keep(line))
    return new Promise((resolve, reject) => {
      if (stdout)
        createInterface({ input: stdout }).on('line', (line) => {
          this.#keep(line)
          if (line.startsWith('{"event":"ready"')) resolve(JSON.parse(line) as Ready)
        })
      void this.#exit.then((code) =>
        reject(new Error(`${this.name} ended (${code}) before it was ready:\n${this.output}`)),
      )
    })
  }

  #keep(line: string): void {
    this.#lines.push(line)
    if (this.#lines.length > 2_000) this.#lines.splice(0, 1_000)
  }
}
