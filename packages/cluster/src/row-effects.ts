import type { CollectedRows, DurableStore, RowWrite, StateChange } from '@tactus/storage'
import type { Effect } from './effects.ts'

type RowEffect = Extract<Effect, { effect: 'set' | 'insert' | 'upsert' | 'remove' | 'clear' }>

/**
 * Turns a step's durable changes into rows: the first value before and the last after of each, saved store by store.
 *
 * A row added or removed by hand comes after the values that were set before it, so those are saved first.
 */
export class RowEffects {
  readonly #rows: CollectedRows
  readonly #pending = new Map<DurableStore<unknown>, Map<string, StateChange<unknown>>>()

  constructor(rows: CollectedRows) {
    this.#rows = rows
  }

  add(effect: RowEffect): void {
    if (effect.effect === 'set') return this.#set(effect)
    this.#flush(effect.store)
    const { table, key, row } = effect
    if (effect.effect === 'insert') this.#rows.insert(table, row)
    else if (effect.effect === 'upsert') this.#rows.upsert(table, key, row)
    else if (effect.effect === 'remove') this.#rows.delete(table, key, row)
    else this.#rows.clear(table, row)
  }

  writes(): readonly RowWrite[] {
    for (const store of [...this.#pending.keys()]) this.#flush(store)
    return this.#rows.writes()
  }

  #set({ entity, store, key, before, after }: Extract<RowEffect, { effect: 'set' }>): void {
    let changes = this.#pending.get(store)
    if (!changes) {
      changes = new Map()
      this.#pending.set(store, changes)
    }
    const name = `${entity.id}\0${key}`
    const first = changes.get(name)
    changes.set(name, { entity: entity.id, key, before: first ? first.before : before, after })
  }

  #flush(store: DurableStore<unknown>): void {
    const changes = this.#pending.get(store)
    if (!changes) return
    this.#pending.delete(store)
    const real = [...changes.values()].filter(({ before, after }) => before !== after)
    if (real.length > 0) store.save(real, this.#rows)
  }
}
