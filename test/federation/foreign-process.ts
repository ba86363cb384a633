import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** How a program of somebody else's is started, and how it says that it is ready. */
interface ForeignCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly isReady: (line: string) => boolean
}

/** A program of somebody else's that runs as long as a test. */
export class ForeignProcess implements AsyncDisposable {
  readonly #name: string
  readonly #child: ChildProcess
  readonly #lines: string[] = []

  private constructor({ command, args, env }: ForeignCommand) {
    this.#name = command
    this.#child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const kill = (): void => void this.#child.kill('SIGKILL')
    process.once('exit', kill)
    this.#child.once('exit', () => process.off('exit', kill))
  }

  static async start(how: ForeignCommand): Promise<ForeignProcess> {
    const started = new ForeignProcess(how)
    await started.#ready(how.isReady)
    return started
  }

  /** What it said. */
  get output(): string {
    return this.#lines.join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  #ready(isReady: (line: string) => boolean): Promise<void> {
    const { stdout, stderr } = this.#child
    return new Promise((resolve, reject) => {
      const keep = (line: string): void => {
        this.#lines.push(line)
        if (isReady(line)) resolve()
      }
      if (stdout) createInterface({ input: stdout }).on('line', keep)
      if (stderr) createInterface({ input: stderr }).on('line', keep)
      this.#child.once('exit', () => reject(new Error(`${this.#name} ended:\n${this.output}`)))
      this.#child.once('error', reject)
    })
  }
}
