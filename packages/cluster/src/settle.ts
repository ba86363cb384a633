import type { EntityState } from './state.ts'

/** Its rows are readable again; its queues give back the room of what was trimmed. */
export function settleEntity(entity: EntityState, step: number): void {
  for (const [pair, number] of entity.dirty) if (number <= step) entity.dirty.delete(pair)
  for (const cache of entity.queues.values()) {
    if (cache.head < 32 && cache.head < cache.items.length) continue
    cache.items = cache.items.slice(cache.head)
    cache.head = 0
  }
}
