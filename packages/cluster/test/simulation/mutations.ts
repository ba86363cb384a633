import type { Cluster, Plan } from './cluster.ts'

/** Pauses routers again and again for longer than they may be missing (A6). */
function pauses(cluster: Cluster): void {
  const { world } = cluster
  for (let at = 200; at < 5500; at += world.between(300, 1500))
    world.at(at, () => {
      const proc = world.pick([...cluster.routers.keys()])
      if (!proc || cluster.healed) return
      proc.stop()
      world.at(world.between(1600, 3500), () => proc.cont())
    })
}

/** Owners die while others go on sending to their partitions over a slow bus (C2). */
function slowDeaths(cluster: Cluster): void {
  const { world, bus } = cluster
  bus.faults.slow = 0.4
  for (let at = 300; at < 5500; at += world.between(500, 2000))
    world.at(at, () => {
      const proc = world.pick([...cluster.routers.keys()])
      if (proc && !cluster.healed) cluster.killRouter(proc)
    })
}

/** A safeguard taken away, and the runs that must notice. */
export interface Mutation {
  readonly name: string
  readonly plan: Omit<Plan, 'seed'>
  /** What the same runs do with the safeguard in its place. */
  readonly sound: Omit<Plan, 'seed'>
}

const zombies: Omit<Plan, 'seed'> = {
  calm: true,
  routers: 2,
  messages: 25,
  kinds: ['plain'],
  script: pauses,
}
const overtaking: Omit<Plan, 'seed'> = {
  calm: true,
  routers: 3,
  messages: 60,
  kinds: ['plain', 'durable'],
  script: slowDeaths,
}

/** Every safeguard of design §3–§5 that the simulation must miss when it is gone. */
export const mutations: readonly Mutation[] = [
  { name: 'the fence in the step’s transaction', plan: { storage: { noFence: true } }, sound: {} },
  {
    name: 'the step counter in the transaction',
    plan: { storage: { noCounter: true } },
    sound: {},
  },
  {
    name: 'the fence in the script',
    plan: { ...zombies, bus: { noFence: true } },
    sound: zombies,
  },
  { name: 'the step counter in the script', plan: { bus: { noCounter: true } }, sound: {} },
  { name: 'the stored record', plan: { without: ['record'] }, sound: {} },
  { name: 'exact input numbers', plan: { anyNumber: true }, sound: {} },
  {
    name: 'keeping records until their streams have passed',
    plan: { lossy: true, without: ['retention'] },
    sound: { lossy: true },
  },
  {
    name: 'the barrier after an acquisition',
    plan: { ...overtaking, without: ['barrier'] },
    sound: overtaking,
  },
  { name: 'deferring reads of unwritten rows', plan: { without: ['deferred-read'] }, sound: {} },
]
