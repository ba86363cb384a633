import type { Bus } from '@tactus/bus'
import { unpack } from 'msgpackr'
import { attachedKey, liveKey, splitField, timersKey } from './keys.ts'
import type { LiveStore } from './machine.ts'

/**
 * Reads one live store of an entity as the last commit left it, for requests and lists.
 *
 * Any instance may read; only the owner writes.
 */
export async function readLive<T>(
  bus: Bus,
  store: LiveStore<T>,
  entity: string,
): Promise<ReadonlyMap<string, T>> {
  const key = liveKey(entity)
  const fields = (await bus.hashes([key])).get(key)
  const values = new Map<string, T>()
  for (const [name, bytes] of fields ?? []) {
    const [storeName, valueKey] = splitField(name)
    if (storeName === store.name) values.set(valueKey, store.decode(unpack(bytes)))
  }
  return values
}

/**
 * Entities of a partition that have something attached to an instance, or a timer whose name begins with `timer`.
 *
 * As the last commit left them; where more than `most` timers wait, the latest are left out.
 */
export async function readOccupied(
  bus: Bus,
  partition: number,
  { timer, most }: { readonly timer: string; readonly most: number },
): Promise<ReadonlySet<string>> {
  const attached = attachedKey(partition)
  const timers = timersKey(partition)
  const [hashes, due] = await Promise.all([
    bus.hashes([attached]),
    bus.due([timers], Number.MAX_SAFE_INTEGER, most),
  ])
  const entities = new Set<string>()
  for (const field of hashes.get(attached)?.keys() ?? []) {
    const [, rest] = splitField(field)
    entities.add(splitField(rest)[0])
  }
  for (const [member] of due.get(timers) ?? []) {
    const [entity, name] = splitField(member)
    if (name.startsWith(timer)) entities.add(entity)
  }
  return entities
}
