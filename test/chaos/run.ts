import { setTimeout as pause } from 'node:timers/promises'
import { Chance } from './chance.ts'
import { Chorus } from './chorus.ts'
import { type Deed, deeds, Nemesis } from './nemesis.ts'
import { percentiles, type Report } from './report.ts'
import { Workload } from './workload.ts'
import { World } from './world.ts'

/** What is run, for how long. */
export interface ChaosOptions {
  readonly seed: number
  readonly minutes: number
  readonly clients?: number
  /** Messages per second. */
  readonly rate?: number
  readonly only?: readonly Deed[]
  /** Most deeds; the run ends after them. */
  readonly kills?: number
  readonly say?: (text: string) => void
}

const domain = 'montague.example'
/** Pause between two deeds, ms. */
const between: readonly [number, number] = [500, 2_500]
/** Traffic before the first deed, ms. */
const warmUp = 3_000
const settleWithin = 60_000
/** Clients that share a room and a node. */
const choir = 10

/** Starts a cluster, harms it under load, lets it heal and tells what became of every message. */
export async function runChaos(options: ChaosOptions): Promise<Report> {
  const { seed, minutes, clients = 60, rate = 150, say = () => {} } = options
  const chance = new Chance(seed)
  const begun = performance.now()
  const tell = (text: string): void => say(`${seconds(begun)} s  ${text}`)
  await using world = await World.start()
  tell('a cluster')
  const accounts = Array.from({ length: clients }, (_, index) => `c${index}@${domain}`)
  await world.addUsers(accounts)
  tell('accounts')
  await using workload = new Workload({
    jids: accounts.map((jid) => `${jid}/r`),
    password: world.password,
    ports: () => world.ports,
    rate,
    disturbed: 0.3,
    chance,
  })
  const singers = Array.from({ length: choir }, (_, index) => `s${index}@${domain}`)
  await world.addUsers(singers)
  const chorus = new Chorus({
    jids: singers.map((jid) => `${jid}/r`),
    password: world.password,
    ports: () => world.ports,
    room: `witches@conference.${domain}`,
    service: `pubsub.${domain}`,
    node: 'cauldron',
    rate: 10,
    disturbed: 0.3,
    chance: new Chance(seed + 1),
  })
  await using _ = { [Symbol.asyncDispose]: () => chorus.stop() }
  const nemesis = new Nemesis(world, chance, tell)
  await workload.start()
  await chorus.start()
  tell(`${clients + choir} sessions`)
  await pause(warmUp)
  await harm(nemesis, { ...options, minutes, chance, tell, workload })
  tell('heals')
  workload.quiet()
  chorus.quiet()
  await Promise.all([workload.settle(settleWithin), chorus.settle(settleWithin)])
  tell('reads the archives')
  for (const account of accounts) await workload.compareArchive(account)
  const report = reportOf({ workload, chorus, nemesis }, { seed, seconds: Number(seconds(begun)) })
  if (report.violations.length + report.verdict.lost.length > 0) tell(world.server.output)
  return report
}

async function harm(
  nemesis: Nemesis,
  options: ChaosOptions & {
    readonly chance: Chance
    readonly workload: Workload
    readonly tell: (text: string) => void
  },
): Promise<void> {
  const {
    minutes,
    chance,
    kills = Number.POSITIVE_INFINITY,
    only = deeds,
    workload,
    tell,
  } = options
  const until = performance.now() + minutes * 60_000
  let left: Deed[] = []
  while (performance.now() < until && nemesis.count < kills) {
    // All kinds in turn, each time in another order.
    if (left.length === 0) left = chance.shuffled(only)
    await nemesis.do(left.pop() ?? 'router kill')
    await pause(chance.between(...between))
    const { sent, delivered, doubled, reordered } = workload.ledger.verdict()
    const open = workload.ledger.open
    tell(`${sent} sent ${delivered} delivered ${open} open ${doubled.length}/${reordered.length}`)
  }
}

function reportOf(
  {
    workload,
    chorus,
    nemesis,
  }: { readonly workload: Workload; readonly chorus: Chorus; readonly nemesis: Nemesis },
  about: { readonly seed: number; readonly seconds: number },
): Report {
  return {
    ...about,
    ...chorus.verdicts(),
    deeds: Object.fromEntries(nemesis.done),
    kills: nemesis.count,
    verdict: workload.ledger.verdict(),
    resumed: workload.resumptions.length,
    rebound: workload.rebound,
    endings: Object.fromEntries(workload.endings),
    resumption: percentiles(workload.resumptions.map(({ milliseconds }) => milliseconds)),
    afterKill: percentiles(
      workload.resumptions
        .filter(({ begun }) => nemesis.lastBefore(begun) === 'connection-manager kill')
        .map(({ milliseconds }) => milliseconds),
    ),
    takeover: percentiles(nemesis.takeovers),
    violations: [
      ...workload.violations,
      ...workload.errors,
      ...chorus.violations,
      ...nemesis.problems,
    ],
  }
}

const seconds = (begun: number): string => ((performance.now() - begun) / 1_000).toFixed(1)
