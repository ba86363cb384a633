/** What a check found: undefined when all is well, or a short sentence. */
export type HealthCheck = () => Promise<string | undefined> | string | undefined

/** The three questions that an orchestrator asks. */
export type Probe = 'startup' | 'live' | 'ready'

/** The answer to a probe. */
export interface HealthReport {
  readonly ok: boolean
  /** What is wrong, by the name of the check. */
  readonly problems: Readonly<Record<string, string>>
}

/** A check that has not answered after this many milliseconds has failed. */
const checkWithin = 2_000

/**
 * What a process says about itself.
 *
 * *live* is whether it should go on at all and asks nothing of others: were a lost Redis a reason to
 * restart, every instance would restart at once. *ready* is whether new work should come here.
 */
export class Health {
  readonly #checks = new Map<string, HealthCheck>()
  #phase: 'starting' | 'serving' | 'draining' = 'starting'
  #running: Promise<HealthReport> | undefined

  /** Adds something that must be well for the process to be ready. */
  addCheck(name: string, check: HealthCheck): void {
    this.#checks.set(name, check)
  }

  /** Start-up is over: sockets listen, stores answer. */
  started(): void {
    if (this.#phase === 'starting') this.#phase = 'serving'
  }

  /** No new work, please, until it serves again. */
  draining(): void {
    this.#phase = 'draining'
  }

  /** It is drained no more. */
  serving(): void {
    if (this.#phase === 'draining') this.#phase = 'serving'
  }

  /** Answers one of the probes; checks asked for by several at once run once. */
  async probe(probe: Probe): Promise<HealthReport> {
    if (probe === 'live') return { ok: true, problems: {} }
    if (this.#phase === 'starting') return { ok: false, problems: { process: 'starting' } }
    if (probe === 'startup') return { ok: true, problems: {} }
    if (this.#phase === 'draining') return { ok: false, problems: { process: 'draining' } }
    this.#running ??= this.#runChecks().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #runChecks(): Promise<HealthReport> {
    const problems: Record<string, string> = {}
    const runs = [...this.#checks].map(async ([name, check]) => {
      const problem = await runCheck(check)
      if (problem !== undefined) problems[name] = problem
    })
    await Promise.all(runs)
    return { ok: Object.keys(problems).length === 0, problems }
  }
}

async function runCheck(check: HealthCheck): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, checkWithin, `no answer within ${checkWithin} ms`)
  })
  try {
    return await Promise.race([check(), late])
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    clearTimeout(timer)
  }
}
