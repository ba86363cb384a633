import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Job, Measured } from './load/job.ts'
import type { Measurement } from './plan.ts'
import { domain, guestDomain, password, type Target, type TargetName } from './target.ts'

/** What one measurement of one target gave. */
export interface Result extends Measured {
  readonly target: TargetName
  readonly measurement: string
}

const client = fileURLToPath(new URL('load/main.ts', import.meta.url))

/** A load client that has not ended by then hangs. */
const longestRun = 300_000

/** Makes the accounts that are missing, and lets a load client measure. @throws {Error} with what the client said */
export async function measure(target: Target, measurement: Measurement): Promise<Result> {
  const { name, guests = false, ...rest } = measurement
  if (!guests) await target.addAccounts(rest.sessions)
  const { transport = 'tcp', tls } = rest
  const listener = transport !== 'tcp' ? 'http' : tls ? 'c2sTls' : 'c2s'
  const measured = await load({
    ...rest,
    ports: target.server.doors.map((_, door) => target.server.port(listener, door)),
    domain: guests ? guestDomain : domain,
    password: guests ? undefined : password,
    processes: target.processes,
  })
  return { target: target.name, measurement: name, ...measured }
}

async function load(job: Job): Promise<Measured> {
  const child = spawn(process.execPath, [client, JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: longestRun,
  })
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  process.once('exit', kill)
  const ended = once(child, 'exit')
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code, signal] = await ended
  process.off('exit', kill)
  if (code !== 0) throw new Error(`the load client ended (${signal ?? code}):\n${errors}`)
  return JSON.parse(output) as Measured
}
