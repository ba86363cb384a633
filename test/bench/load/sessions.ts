import type { Job } from './job.ts'
import { type LoadSession, logIn } from './log-in.ts'

/** Logs the k-th session of a job in. */
export function logInNth(job: Job, index: number): Promise<LoadSession> {
  const port = job.ports[index % job.ports.length] ?? 0
  const localpart = job.password === undefined ? undefined : `user${index}`
  const identity = { localpart, domain: job.domain, password: job.password ?? '' }
  return logIn({ transport: job.transport ?? 'tcp', port, tls: job.tls }, identity)
}

/** Runs work for each number from `from` to `to - 1`, so many at once. */
export async function inTurns(
  { from, to, atOnce }: { readonly from: number; readonly to: number; readonly atOnce: number },
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = from
  const worker = async (): Promise<void> => {
    while (next < to) await work(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/** Logs all sessions of a job in, in the order of their numbers. */
export async function logInAll(job: Job, from = 0, to = job.sessions): Promise<LoadSession[]> {
  const sessions: LoadSession[] = []
  await inTurns({ from, to, atOnce: job.concurrency }, async (index) => {
    sessions[index - from] = await logInNth(job, index)
  })
  return sessions
}
