import type { Cluster, Plan } from './cluster.ts'

type Script = (cluster: Cluster) => void

/** Kills whoever passes a failpoint, several times in a run. */
function diesAt(...points: readonly string[]): Script {
  return ({ world, failpoints, healed }) => {
    for (let at = 150; at < 5000 && !healed; at += world.between(300, 1200))
      world.at(at, () => failpoints.set(world.pick(points) ?? '', world.between(1, 3)))
  }
}

/** Takeovers happen only after deaths, so somebody dies now and then. */
const taken =
  (...points: readonly string[]): Script =>
  (cluster) => {
    deaths(cluster)
    diesAt(...points)(cluster)
  }

const deaths: Script = (cluster) => {
  const { world } = cluster
  for (let at = 400; at < 5000; at += world.between(900, 2200))
    world.at(at, () => {
      const proc = world.pick([...cluster.routers.keys()])
      if (proc && !cluster.healed) cluster.killRouter(proc)
    })
}

const pauses: Script = (cluster) => {
  const { world } = cluster
  for (let at = 300; at < 5000; at += world.between(500, 1500))
    world.at(at, () => {
      const proc = world.pick([...cluster.routers.keys()])
      if (!proc || cluster.healed) return
      proc.stop()
      world.at(world.between(1600, 3500), () => proc.cont())
    })
}

const cmDeaths: Script = (cluster) => {
  const { world } = cluster
  for (let at = 300; at < 5000; at += world.between(700, 1800))
    world.at(at, () => {
      const proc = world.pick([...cluster.cms.keys()])
      if (proc && !cluster.healed) cluster.killCm(proc)
    })
}

const busFaults =
  (faults: Partial<Cluster['bus']['faults']>): Script =>
  ({ bus }) =>
    void Object.assign(bus.faults, faults)

const storeFaults =
  (faults: Partial<Cluster['database']['faults']>): Script =>
  ({ database }) =>
    void Object.assign(database.faults, faults)

const outage =
  (which: 'bus' | 'database'): Script =>
  (cluster) => {
    const { faults } = cluster[which]
    cluster.world.at(1500, () => {
      faults.down = true
      cluster.world.at(2500, () => {
        faults.down = false
      })
    })
  }

const emptied: Script = ({ world, bus }) =>
  void world.at(world.between(500, 4000), () => bus.broker.clear())

/** The bus is lost while much waits in the outbox, and who runs that again dies over it. */
const diesOverReplays: Script = (cluster) => {
  const { world, bus, failpoints } = cluster
  bus.faults.slow = 0.5
  for (let at = 800; at < 5000; at += 1600) {
    world.at(at, () => bus.broker.clear())
    for (let after = 500; after < 1500; after += world.between(30, 200))
      world.at(at + after, () => failpoints.set('step:before-reply', world.between(1, 3)))
  }
}

/** Another server cannot be reached until all is well again. */
const unreachable: Script = ({ away }) => {
  away.down = true
}

const all =
  (...scripts: readonly Script[]): Script =>
  (cluster) => {
    for (const script of scripts) script(cluster)
  }

/** One case of what the design must survive; `seeds` runs of it. */
export interface Case {
  readonly name: string
  readonly plan: Omit<Plan, 'seed'>
}

const calm = { calm: true, routers: 3 } as const

/** Interleavings that broke earlier wordings of design §3–§5, each as a scenario of its own. */
export const cases: readonly Case[] = [
  {
    name: 'A1, A2: a router dies between the rows and the bus, and its step is completed whole by its takers',
    plan: { ...calm, script: diesAt('step:between') },
  },
  {
    name: 'A2: takers die between the stages of a takeover',
    plan: {
      ...calm,
      script: taken('takeover:fenced', 'takeover:redone', 'takeover:transferred', 'takeover:read'),
    },
  },
  {
    name: 'A3: the answer of the script is lost, or the script arrives after its sender gave up',
    plan: { ...calm, script: busFaults({ lostReply: 0.1, late: 0.05 }) },
  },
  {
    name: 'A4: a router dies before its commit is answered',
    plan: { ...calm, script: diesAt('step:before-rows', 'step:in-rows', 'step:before-reply') },
  },
  {
    name: 'A5: the outcome of a transaction is unknown',
    plan: { ...calm, script: storeFaults({ lostReply: 0.1, late: 0.05 }) },
  },
  {
    name: 'A6: a router is stopped, taken over and continued',
    plan: { ...calm, script: pauses },
  },
  {
    name: 'A7: rows of unwritten steps are read',
    plan: { ...calm, kinds: ['durable', 'read'], script: storeFaults({ slow: 0.3 }) },
  },
  {
    name: 'A8: jobs are answered once, whoever has to start them again',
    plan: { ...calm, kinds: ['job', 'timer', 'plain'], script: deaths },
  },
  {
    name: 'A9: rows that the store refuses harm nobody else',
    plan: { ...calm, kinds: ['poison', 'throw', 'durable', 'plain'], script: deaths },
  },
  {
    name: 'A10: the store is away, and what piled up is worked off in bounded steps',
    plan: { ...calm, messages: 20, script: outage('database') },
  },
  {
    name: 'A11, A12: steps with and without rows keep their order while the bus is slow',
    plan: { ...calm, kinds: ['plain', 'durable'], script: busFaults({ slow: 0.3 }) },
  },
  {
    name: 'B1: publishes are refused, and nothing is lost or overtaken',
    plan: { ...calm, messages: 16, script: busFaults({ refused: 0.15 }) },
  },
  {
    name: 'B2, B3: what was published is lost with the bus and published again',
    plan: { ...calm, lossy: true, script: emptied },
  },
  {
    name: 'B4, B8, B11: connection managers die and their sessions are resumed on others',
    plan: { ...calm, script: all(cmDeaths, busFaults({ lostReply: 0.05 })) },
  },
  {
    name: 'B11: an outage of the bus is nobody’s death',
    plan: { ...calm, script: outage('bus') },
  },
  {
    name: 'C1: acknowledged between its halves when the bus is lost',
    plan: {
      ...calm,
      lossy: true,
      kinds: ['durable', 'multi'],
      script: all(emptied, busFaults({ slow: 0.3 })),
    },
  },
  {
    name: 'design §3.6: what waits for another server survives the bus, twice',
    plan: { ...calm, lossy: true, kinds: ['away'], script: all(unreachable, emptied, emptied) },
  },
  {
    name: 'design §3.6: who runs the outbox again dies over it, and nobody hears anything twice in a session',
    plan: {
      ...calm,
      lossy: true,
      messages: 60,
      kinds: ['durable', 'multi'],
      script: diesOverReplays,
    },
  },
  {
    name: 'C2: partitions move while their senders go on',
    plan: { ...calm, messages: 30, kinds: ['plain', 'durable'], script: deaths },
  },
]
