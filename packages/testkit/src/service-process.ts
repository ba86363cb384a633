import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** The user that a service runs as, where it must not be the one of the tests. */
export interface User {
  readonly uid: number
  readonly gid: number
}

/** How to run a service. */
export interface Recipe {
  readonly command: string
  readonly args: (port: number, folder: string) => readonly string[]
  /** Resolves to true once the service answers at this port. Asked again and again. */
  readonly isReady: (port: number) => Promise<boolean>
  readonly user?: User | undefined
}

/** How long a service may take until it answers; Postgres may have to recover first. */
const readyWithin = 60_000
const askEvery = 20

/** All services of this process: one listener, however many there are. */
const running = new Set<ServiceProcess>()
process.once('exit', () => {
  for (const service of running) service.abandon()
})

/** A port that was free a moment ago; whoever uses it must be ready to ask again. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port to be had')
  return address.port
}

/** Sends bytes and resolves to what comes back first; undefined when nobody answers. */
export function exchange(port: number, bytes: Uint8Array): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    const end = (answer?: Buffer): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1_000, () => end())
    socket.once('data', end)
    socket.once('error', () => end())
    socket.once('close', () => end())
  })
}

/**
 * A service with a port and a folder of its own, which can be killed, frozen and started again.
 *
 * It never outlives the process that started it: when that dies, however it dies, a pipe closes, and
 * a shell that waits for just this kills the service and removes its folder.
 */
export class ServiceProcess implements AsyncDisposable {
  readonly folder: string
  readonly #recipe: Recipe
  #child: ChildProcess | undefined
  #guardian: ChildProcess | undefined
  #port = 0

  constructor(name: string, recipe: Recipe) {
    this.#recipe = recipe
    this.folder = mkdtempSync(join(tmpdir(), `tactus-${name}-`))
    if (recipe.user) chownSync(this.folder, recipe.user.uid, recipe.user.gid)
    running.add(this)
  }

  get port(): number {
    return this.#port
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts it; at the port it had before, if it ever ran. */
  async start(): Promise<void> {
    const isFirst = this.#port === 0
    for (let attempt = 1; ; attempt++) {
      if (isFirst) this.#port = await freePort()
      this.#spawn()
      if (await this.#becomesReady()) return
      const log = this.#log()
      const isTaken = /address already in use|in use by another|still in use/i.test(log)
      await this.stop('SIGKILL')
      if (!isTaken || attempt === 5)
        throw new Error(`${this.#recipe.command} did not start: ${log}`)
      await pause(askEvery * 5)
    }
  }

  /** Sends a signal to the service and its children; `SIGSTOP` freezes them all. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined) return
    const ended = signal === 'SIGKILL' ? endOf(child) : undefined
    for (const pid of [child.pid, ...childrenOf(child.pid)]) signalQuietly(pid, signal)
    await ended
  }

  /** Asks it to end, with this signal, and waits until it has. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (!child) return
    const ended = endOf(child)
    signalQuietly(child.pid, 'SIGCONT')
    child.kill(signal)
    await ended
  }

  /** Stops it for good and removes its folder. */
  async remove(signal: NodeJS.Signals): Promise<void> {
    await this.stop(signal)
    running.delete(this)
    rmSync(this.folder, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.remove('SIGKILL')
  }

  #spawn(): void {
    const { command, args, user } = this.#recipe
    const log = openSync(join(this.folder, 'log'), 'w')
    const child = spawn(command, args(this.#port, this.folder), {
      cwd: this.folder,
      stdio: ['ignore', log, log],
      ...user,
    })
    const guardian = spawn(
      '/bin/sh',
      [
        '-c',
        'while read -r _; do :; done; kill -9 "$1" 2>/dev/null; sleep 1; rm -rf "$2"',
        'sh',
        String(child.pid),
        this.folder,
      ],
      { stdio: ['pipe', 'ignore', 'ignore'], detached: true },
    )
    child.once('error', () => this.#forget(child, guardian))
    child.once('exit', () => this.#forget(child, guardian))
    child.unref()
    guardian.unref()
    if (guardian.stdin && 'unref' in guardian.stdin) (guardian.stdin as { unref(): void }).unref()
    this.#child = child
    this.#guardian = guardian
  }

  #forget(child: ChildProcess, guardian: ChildProcess): void {
    guardian.kill('SIGKILL')
    if (this.#child === child) this.#child = undefined
  }

  async #becomesReady(): Promise<boolean> {
    const until = performance.now() + readyWithin
    while (this.#child && performance.now() < until) {
      if (await this.#recipe.isReady(this.#port)) return this.#child !== undefined
      await pause(askEvery)
    }
    return false
  }

  #log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8').trim().slice(-2_000)
  }

  /** For when the process ends now, and nothing can be awaited any more. */
  abandon(): void {
    const { pid } = this
    if (pid !== undefined)
      for (const each of [pid, ...childrenOf(pid)]) signalQuietly(each, 'SIGKILL')
    this.#guardian?.kill('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Who waits for the end has nothing else to do, perhaps: the process must not end before. */
function endOf(child: ChildProcess): Promise<unknown> {
  child.ref()
  return once(child, 'exit')
}

function childrenOf(pid: number): readonly number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return list.split(' ').filter(Boolean).map(Number)
  } catch {
    return [] // gone, or a system without /proc, where only the parent can be signalled
  }
}

function signalQuietly(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, signal)
  } catch {
    // It has ended already, which is what most callers want.
  }
}
