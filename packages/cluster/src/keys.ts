/*
 * Names of the keys that the owner keeps on the bus. The bus adds cluster and incarnation.
 */

/** Live state of an entity, fields `<store>\0<key>`; its timers under the empty store name. */
export const liveKey = (entity: string): string => `live:${entity}`
/** Units of partly processed entries that are done, by position. */
export const partialKey = (partition: number): string => `partial:${partition}`
/** Due times of timers, members `<entity>\0<name>`. */
export const timersKey = (partition: number): string => `timers:${partition}`
/** Jobs that are noted and not answered, fields `<entity>\0<id>`. */
export const jobsKey = (partition: number): string => `jobs:${partition}`
/** What hangs on which instance, fields `<instance>\0<entity>\0<id>`. */
export const attachedKey = (partition: number): string => `attached:${partition}`
/** What of the outbox was run again after a loss, until all of it was: by its place there. */
export const replayedKey = (partition: number): string => `replayed:${partition}`
/** What owners of a partition tell their followers: deaths, replay after a loss. */
export const metaKey = (partition: number): string => `meta:${partition}`

/** Joins the parts of a field; `\0` occurs in no JID and no name. */
export const field = (first: string, second: string): string => `${first}\0${second}`

/** Splits a field at its first separator. */
export function splitField(text: string): readonly [first: string, rest: string] {
  const at = text.indexOf('\0')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
