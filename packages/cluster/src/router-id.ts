import type { Env } from '@tactus/env'

/** Makes the id of one boot; the incarnation is part of it, because no step of another one can be completed here. */
export function routerId(env: Env, incarnation: number): string {
  return `r${incarnation}-${Buffer.from(env.random(9)).toString('base64url')}`
}

/** The incarnation that a router belongs to; 0 for names of another kind. */
export function incarnationOf(router: string): number {
  return Number(/^r(\d+)-/.exec(router)?.[1] ?? 0)
}
