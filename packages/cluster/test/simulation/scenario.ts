import { Cluster, type Plan, troubled } from './cluster.ts'
import { nemesis } from './nemesis.ts'

/** Virtual ms after healing in which everything must have come right (liveness). */
const bound = 120_000

/** Runs one plan to its end; answers the cluster, whose world tells what went wrong. */
export async function simulate(plan: Plan): Promise<Cluster> {
  const cluster = new Cluster(plan)
  const { world } = cluster
  for (let i = 0; i < (plan.routers ?? world.between(1, 3)); i += 1) cluster.bootRouter()
  const cms = [cluster.bootCm(), cluster.bootCm()].flatMap((proc) => cluster.cms.get(proc) ?? [])
  for (const client of cluster.clients) world.pick(cms)?.connect(client)
  const opened = (): boolean => cluster.clients.every((client) => client.opened)
  if (!(await world.run(10_000, opened))) world.violate('nobody could log in')
  for (const client of cluster.clients) client.excused = () => cluster.excused
  for (const client of cluster.clients) client.excused = () => cluster.excused
  cluster.write()
  plan.script?.(cluster)
  if (!plan.calm) nemesis(cluster)
  const calm = plan.calm && !plan.script
  world.at(calm ? 0 : troubled, () => cluster.heal())
  let events = 0
  const done = (): boolean => ++events % 50 === 0 && cluster.settled
  const settled = await world.run(world.now + troubled + bound, done)
  if (!settled)
    world.violate(
      `stuck: ${cluster.clients.map((c) => `${c.account} ${c.messages.filter((m) => !m.acked).length} left, ${c.received} received`).join('; ')} of ${cluster.expected}`,
    )
  cluster.check()
  for (const proc of [...cluster.routers.keys(), ...cluster.cms.keys()]) proc.state = 'killed'
  return cluster
}

export type { Cluster, Plan } from './cluster.ts'
