import { type Cluster, troubled } from './cluster.ts'
import type { Faults, SimProc, World } from './world.ts'

/** Draws what goes wrong: each seed a few kinds of it, because faults hide each other. */
export function nemesis(cluster: Cluster): void {
  lines(cluster)
  deaths(cluster)
  const { world, plan } = cluster
  if (!plan.lossy) return
  for (let i = world.between(1, 2); i > 0; i -= 1)
    soon(cluster, () => {
      world.trace('bus emptied')
      cluster.bus.broker.clear()
    })
}

function soon({ world }: Cluster, run: () => void): void {
  world.at(world.between(100, troubled - 500), run)
}

function lines(cluster: Cluster): void {
  const { world, bus, database } = cluster
  const some = (share: number): boolean => world.chance() < share
  for (const faults of [bus.faults, database.faults]) {
    if (some(0.4)) faults.lostReply = 0.05 * world.chance()
    if (some(0.3)) faults.late = 0.03 * world.chance()
    if (some(0.3)) faults.refused = 0.05 * world.chance()
    if (some(0.4)) faults.slow = 0.2 * world.chance()
    if (some(0.15)) soon(cluster, () => outage(world, faults))
  }
}

function outage(world: World, faults: Faults): void {
  faults.down = true
  world.at(world.between(200, 3000), () => {
    faults.down = false
  })
}

function deaths(cluster: Cluster): void {
  const { world, plan } = cluster
  const routers = (): SimProc | undefined => world.pick([...cluster.routers.keys()])
  const cms = (): SimProc | undefined => world.pick([...cluster.cms.keys()])
  const act = (share: number, what: (proc: SimProc) => void, who = routers): void => {
    if (world.chance() >= share) return
    for (let i = world.between(1, 3); i > 0; i -= 1)
      soon(cluster, () => {
        const proc = who()
        if (proc && !cluster.healed) what(proc)
      })
  }
  const pause = (proc: SimProc): void => {
    proc.stop()
    world.at(world.between(300, 4000), () => proc.cont())
  }
  act(0.4, (proc) => cluster.killRouter(proc))
  act(0.4, pause)
  act(0.2, pause, cms)
  act(0.25, (proc) => cluster.killCm(proc), cms)
  // Seconds only: a router that boots with a wrong clock follows the right one slowly.
  act(plan.lossy ? 0 : 0.1, (proc) => {
    proc.skew = world.between(-10_000, 10_000)
  })
  act(0.15, (proc) => cluster.stopRouter(proc))
  act(0.2, () => cluster.bootRouter())
  act(0.4, () => cluster.failpoints.set(world.pick(failpoints) ?? '', world.between(1, 4)))
}

/** Everywhere an engine can be made to die. */
export const failpoints: readonly string[] = [
  'takeover:fenced',
  'takeover:redone',
  'takeover:transferred',
  'takeover:read',
  'step:before-rows',
  'step:in-rows',
  'step:between',
  'step:before-reply',
]
