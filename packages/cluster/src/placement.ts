import { partitionOf } from './partition.ts'

/** Who owns a partition, as the store says. */
export interface Placed {
  readonly partition: number
  readonly router: string | undefined
}

/** Rendezvous hashing: every judge finds the same heir for a partition, and few move when routers come and go. */
export function heirOf(partition: number, routers: readonly string[]): string | undefined {
  let best: string | undefined
  let highest = -1
  for (const router of routers) {
    const weight = partitionOf(`${partition}/${router}`, 0x1_0000_0000)
    if (weight < highest || (weight === highest && router > (best ?? ''))) continue
    highest = weight
    best = router
  }
  return best
}

/** One hand-over: partitions to one router. */
export interface Gift {
  readonly to: string
  readonly partitions: readonly number[]
}

/**
 * What a router gives away so that all have about the same: what is over its fair share, to the one that has least.
 *
 * Nothing moves while shares differ by less than one partition (hysteresis).
 */
export function giftOf(
  placed: readonly Placed[],
  me: string,
  routers: readonly string[],
): Gift | undefined {
  if (routers.length < 2) return undefined
  const held = new Map(routers.map((router) => [router, 0]))
  for (const { router } of placed)
    if (router !== undefined && held.has(router)) held.set(router, (held.get(router) ?? 0) + 1)
  const fair = placed.length / routers.length
  const mine = placed.filter(({ router }) => router === me).map(({ partition }) => partition)
  const surplus = mine.length - Math.ceil(fair)
  if (surplus <= 0) return undefined
  const [to, has] = [...held].reduce((least, next) => (next[1] < least[1] ? next : least))
  if (to === me || has + 1 >= mine.length) return undefined
  const count = Math.min(surplus, Math.max(1, Math.floor(fair) - has))
  const wanted = mine.toSorted((a, b) => rank(a, to, me) - rank(b, to, me))
  return { to, partitions: wanted.slice(0, count) }
}

/** Partitions that would fall to the receiver anyhow go first. */
function rank(partition: number, to: string, me: string): number {
  return heirOf(partition, [to, me]) === to ? 0 : 1
}
