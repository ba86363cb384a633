import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cases } from './simulation/cases.ts'
import { mutations } from './simulation/mutations.ts'
import { type Plan, simulate } from './simulation/scenario.ts'

/** Seeds of each kind; test/simulation asks for many more, in several processes. */
const seeds = Number((process.env.SIMULATION_FIRST && process.env.SIMULATION_SEEDS) ?? 300)
const first = Number(process.env.SIMULATION_FIRST ?? 1)

/** Runs seeds until one shows a violation; answers it. */
async function search(
  plan: Omit<Plan, 'seed'>,
  from: number,
  count: number,
): Promise<{ readonly seed: number; readonly violations: readonly string[] } | undefined> {
  for (let seed = from; seed < from + count; seed += 1) {
    const { world } = await simulate({ ...plan, seed })
    if (world.violations.length > 0) return { seed, violations: world.violations }
  }
  return undefined
}

test('a seed is a run: the same seed gives the same events', async () => {
  for (const seed of [3, 14, 1592]) {
    const [one, two] = [await simulate({ seed }), await simulate({ seed })]
    assert.equal(one.world.hash, two.world.hash)
    assert.equal(one.world.events, two.world.events)
  }
})

test(`design §3: ${seeds} random interleavings lose, double and reorder nothing`, async () => {
  assert.equal(await search({}, first, seeds), undefined)
})

test(`design §3.11: ${seeds / 2} random interleavings with a lost bus keep what was acknowledged`, async () => {
  assert.equal(await search({ lossy: true }, first, seeds / 2), undefined)
})

for (const { name, plan } of cases)
  test(name, async () => {
    assert.equal(await search(plan, first, 12), undefined)
  })

test('design §3.10: an input that kills its owners is put aside, and everybody else goes on', async () => {
  for (let seed = first; seed < first + 10; seed += 1) {
    const cluster = await simulate({
      seed,
      calm: true,
      routers: 2,
      messages: 5,
      kinds: ['kill', 'durable', 'durable', 'plain', 'plain', 'multi'],
      script: () => {},
    })
    const kills = cluster.clients
      .flatMap(({ messages }) => messages)
      .filter((m) => m.kind === 'kill')
    assert.deepEqual(cluster.world.violations, [], `seed ${seed}`)
    assert.equal(cluster.deadLetters, kills.length, `seed ${seed}`)
  }
})

for (const { name, plan } of mutations)
  test(`without ${name} the simulation fails`, async () => {
    assert.notEqual(await search(plan, 1, 400), undefined)
  })
