import type { Position } from './bus.ts'

const POSITION = /^\d{1,16}(?:-\d{1,16})?$/

/** Whether text has the shape of a position: what it says is not checked. */
export function isPosition(text: unknown): text is Position {
  return typeof text === 'string' && POSITION.test(text)
}

/**
 * Orders two positions of one stream: negative when `a` comes first, 0 when they are the same.
 *
 * As text they would not sort: `10` comes after `9`.
 */
export function comparePositions(a: Position, b: Position): number {
  if (a === b) return 0
  const [aMajor, aMinor] = split(a)
  const [bMajor, bMinor] = split(b)
  return aMajor - bMajor || aMinor - bMinor
}

function split(position: Position): readonly [major: number, minor: number] {
  const dash = position.indexOf('-')
  if (dash < 0) return [Number(position), 0]
  return [Number(position.slice(0, dash)), Number(position.slice(dash + 1))]
}
