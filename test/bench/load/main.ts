/** The load client: a process of its own, so that its work does not disturb the server's. */
import { runFanOut } from './fan-out.ts'
import { runIdle } from './idle.ts'
import type { Job, Measured } from './job.ts'
import { runLogIns } from './log-ins.ts'
import { runLoops } from './loops.ts'

const runs: Readonly<Record<Job['kind'], (job: Job) => Promise<Measured>>> = {
  chat: runLoops,
  ping: runLoops,
  login: runLogIns,
  idle: runIdle,
  room: runFanOut,
  node: runFanOut,
}

const job = JSON.parse(process.argv[2] ?? '') as Job
process.stdout.write(`${JSON.stringify(await runs[job.kind](job))}\n`)
process.exit(0)
