import { setTimeout as pause } from 'node:timers/promises'
import { type Usage, usageOf } from '../processes.ts'
import type { Job, Measured } from './job.ts'

/** Counts events and their latencies while the measured window is open. */
export class Window {
  readonly #job: Job
  readonly #latencies: number[] = []
  #isOpen = false
  #begin: Usage
  #end: Usage

  constructor(job: Job) {
    this.#job = job
    this.#begin = usageOf(job.processes)
    this.#end = this.#begin
  }

  /** An event that took so many milliseconds. */
  count(latency: number): void {
    if (this.#isOpen) this.#latencies.push(latency)
  }

  /** Lets the load warm up, then measures. */
  async pass(): Promise<void> {
    await pause(this.#job.warmupSeconds * 1e3)
    this.#begin = usageOf(this.#job.processes)
    this.#isOpen = true
    await pause(this.#job.seconds * 1e3)
    this.#isOpen = false
    this.#end = usageOf(this.#job.processes)
  }

  result(rest: Pick<Measured, 'sessions'> & Partial<Measured>): Measured {
    const sorted = this.#latencies.toSorted((a, b) => a - b)
    const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0
    const cpu = Object.fromEntries(
      Object.entries(this.#end.cpu).map(([name, seconds]) => [
        name,
        seconds - (this.#begin.cpu[name] ?? 0),
      ]),
    )
    const clientCpu = this.#end.own - this.#begin.own
    const servers = Object.values(cpu).reduce((sum, seconds) => sum + seconds, 0)
    const all = this.#end.all - this.#begin.all
    return {
      events: sorted.length,
      seconds: this.#end.at - this.#begin.at,
      p50: at(0.5),
      p99: at(0.99),
      lost: 0,
      duplicated: 0,
      outOfOrder: 0,
      cpu,
      clientCpu,
      otherCpu: Math.max(0, all - servers - clientCpu),
      ...rest,
    }
  }
}
