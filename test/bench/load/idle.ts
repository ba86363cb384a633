import { setTimeout as pause } from 'node:timers/promises'
import { residentBytes } from '../processes.ts'
import type { Job, Measured } from './job.ts'
import { logInAll } from './sessions.ts'
import { Window } from './window.ts'

/** The share of the sessions that is there before memory is read the first time: the code is warm by then. */
const firstShare = 0.2

/** Logs in and stays. What a session costs is the slope between a few of them and all. */
export async function runIdle(job: Job): Promise<Measured> {
  const window = new Window(job)
  const few = Math.round(job.sessions * firstShare)
  const sessions = await logInAll(job, 0, few)
  await pause(job.seconds * 1e3)
  const before = residentBytes(job.processes)
  sessions.push(...(await logInAll(job, few, job.sessions)))
  await window.pass()
  const after = residentBytes(job.processes)
  for (const { connection } of sessions) connection.destroy()
  const bytesPerSession = Object.fromEntries(
    Object.entries(after).map(([name, bytes]) => [
      name,
      (bytes - (before[name] ?? 0)) / (job.sessions - few),
    ]),
  )
  return window.result({ sessions: job.sessions, bytesPerSession })
}
