import type { Job, Measured } from './job.ts'
import { inTurns, logInNth } from './sessions.ts'
import { Window } from './window.ts'

/** Whole cycles, so many at once: connect, TLS where asked for, SASL, bind, presence, close. */
export async function runLogIns(job: Job): Promise<Measured> {
  const window = new Window(job)
  let isOver = false
  // Every account once, so that no PBKDF2 of this client falls into the window.
  await inTurns({ from: 0, to: job.sessions, atOnce: job.concurrency }, async (index) => {
    const { connection } = await logInNth(job, index)
    await connection.close()
  })
  const cycle = async (worker: number): Promise<void> => {
    for (let turn = worker; !isOver; turn += job.concurrency) {
      const begin = performance.now()
      const { connection } = await logInNth(job, turn % job.sessions)
      window.count(performance.now() - begin)
      await connection.close()
    }
  }
  const cycles = Array.from({ length: job.concurrency }, (_, worker) => cycle(worker))
  await Promise.race([window.pass(), Promise.all(cycles)])
  isOver = true
  await Promise.all(cycles)
  return window.result({ sessions: job.sessions })
}
