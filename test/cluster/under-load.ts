import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { Chance } from '../chaos/chance.ts'
import { isKept } from '../chaos/ledger.ts'
import { Workload } from '../chaos/workload.ts'
import { World, type WorldOptions } from '../chaos/world.ts'

/** A cluster whose clients talk all the time, and what is checked of them. */
export interface UnderLoad {
  readonly world: World
  readonly workload: Workload
  /** Waits until what was accepted so far has arrived, while the talk goes on. */
  flows(within?: number): Promise<void>
  /** Lets the talk end and checks that everything accepted arrived once and in order. */
  check(): Promise<void>
}

/** Runs `tell` over a small numbered load. The clients are patient: a stream that ends was ended by the server. */
export async function underLoad(
  options: WorldOptions & { readonly patience?: number },
  tell: (load: UnderLoad) => Promise<void>,
): Promise<void> {
  await using world = await World.start(options)
  const accounts = Array.from({ length: 12 }, (_, index) => `c${index}@montague.example`)
  await world.addUsers(accounts)
  const workload = new Workload({
    jids: accounts.map((jid) => `${jid}/r`),
    password: world.password,
    ports: () => world.ports,
    rate: 60,
    disturbed: 0,
    chance: new Chance(1),
    patience: options.patience ?? 60_000,
  })
  await workload.start()
  const { ledger } = workload
  const check = async (): Promise<void> => {
    workload.quiet()
    await workload.settle(30_000)
    const verdict = ledger.verdict()
    assert.ok(isKept(verdict), JSON.stringify(verdict, undefined, 2))
    assert.deepEqual(workload.violations, [])
    assert.deepEqual(workload.errors, [])
  }
  const flows = async (within = 15_000): Promise<void> => {
    const isPast = ledger.mark()
    await eventually(isPast, within, 'messages are not delivered')
  }
  try {
    await tell({ world, workload, flows, check })
  } catch (error) {
    process.stderr.write(`${world.server.output}\n`)
    throw error
  } finally {
    await workload.stop()
  }
}

/** Waits for a condition that another process brings about. @throws {Error} when it does not come true in time */
export async function eventually(
  isTrue: () => boolean | Promise<boolean>,
  within: number,
  otherwise: string,
): Promise<void> {
  const until = performance.now() + within
  while (!(await isTrue())) {
    if (performance.now() > until) throw new Error(`${otherwise} within ${within} ms`)
    await pause(20)
  }
}
