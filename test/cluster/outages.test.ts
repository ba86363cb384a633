import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { canOwnServices } from '@tactus/testkit'
import { Chance } from '../chaos/chance.ts'
import { isKept } from '../chaos/ledger.ts'
import { Workload } from '../chaos/workload.ts'
import { World } from '../chaos/world.ts'

const accounts = Array.from({ length: 40 }, (_, index) => `calm${index}@montague.example`)
const outage = 10_000

type Fault = (world: World) => Promise<void>

/** Each leaves something away for ten seconds and puts it right again. */
const faults: Readonly<Record<string, Fault>> = {
  'Redis is stopped and started with its append-only file': async ({ redis }) => {
    await redis.stop()
    await pause(outage)
    await redis.restart()
  },
  'Redis is frozen': async ({ redis }) => {
    await redis.kill('SIGSTOP')
    await pause(outage)
    await redis.kill('SIGCONT')
  },
  'Postgres is stopped at once and started': async ({ postgres }) => {
    await postgres.stop('immediate')
    await pause(outage)
    await postgres.restart()
  },
}

async function talkingThrough(world: World, workload: Workload, fault: Fault): Promise<number> {
  const { sent } = workload.ledger.verdict()
  await fault(world)
  const backAt = performance.now()
  // Somebody must get through again: what was sent before the fault says nothing.
  const { delivered } = workload.ledger.verdict()
  while (workload.ledger.verdict().delivered < delivered + 200) {
    assert(performance.now() - backAt < 20_000, 'it goes on after the fault')
    await pause(50)
  }
  assert(workload.ledger.verdict().sent > sent)
  return performance.now() - backAt
}

async function judge(workload: Workload): Promise<void> {
  workload.quiet()
  await workload.settle(20_000)
  const verdict = workload.ledger.verdict()
  assert.equal(verdict.accepted, verdict.sent)
  assert(isKept(verdict), JSON.stringify(verdict))
  assert.deepEqual(workload.violations, [])
  assert.deepEqual(workload.errors, [])
  assert.equal(workload.unavailable, 0)
  assert.deepEqual([...workload.endings], [], 'clients stay connected')
}

test('design §3.5, §3.9: outages of ten seconds under load', async (context: TestContext) => {
  if (!canOwnServices(context)) return
  await using world = await World.start()
  await world.addUsers(accounts)
  await using workload = new Workload({
    jids: accounts.map((jid) => `${jid}/r`),
    password: world.password,
    ports: () => world.ports,
    rate: 100,
    disturbed: 0,
    chance: new Chance(2),
    patience: 30_000,
  })
  await workload.start()
  for (const [name, fault] of Object.entries(faults))
    await context.test(name, async (inner) => {
      try {
        const after = await talkingThrough(world, workload, fault)
        inner.diagnostic(`200 more were delivered ${Math.round(after)} ms after the end of it`)
        await judge(workload)
      } catch (error) {
        process.stderr.write(`${world.server.output}\n`)
        throw error
      } finally {
        workload.endings.clear()
        workload.resumeTalk()
      }
    })
})
