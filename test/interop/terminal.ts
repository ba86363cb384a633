import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const within = 20_000

/** A program on a terminal of its own, in tmux: typed to, and read off the screen. */
export class Terminal implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tactus-terminal-'))

  static async open(command: string): Promise<Terminal> {
    const terminal = new Terminal()
    const size = ['-x', '120', '-y', '40']
    await terminal.#tmux('new-session', '-d', ...size, `env HOME=${terminal.#folder} ${command}`)
    return terminal
  }

  async type(line: string): Promise<void> {
    await this.#tmux('send-keys', '-l', line)
    await this.#tmux('send-keys', 'Enter')
  }

  /** Waits until the screen shows it. @throws {Error} with the screen, when it does not */
  async shows(wanted: string): Promise<void> {
    const until = performance.now() + within
    for (;;) {
      const screen = (await this.#tmux('capture-pane', '-p')).stdout
      if (screen.includes(wanted)) return
      if (performance.now() > until) throw new Error(`no ${wanted} on the screen:\n${screen}`)
      await pause(100)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux('kill-server').catch(() => undefined)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #tmux(...args: readonly string[]): Promise<{ readonly stdout: string }> {
    return execute('tmux', ['-S', join(this.#folder, 'socket'), ...args])
  }
}
