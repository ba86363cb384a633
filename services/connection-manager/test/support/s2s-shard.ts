import type { Entry, Position, Remote } from '@tactus/bus'
import { Stanza } from '@tactus/xml'
import type { Ledger, Work } from '../../src/s2s/ledger.ts'
import { handledKey, Shard, sessionsKey } from '../../src/s2s/shard.ts'

/** Whose stanzas these are. */
export const pair = { local: 'verona.lit', remote: 'mantua.lit' }
/** Where they wait. */
export const stream = 's:0'

/** A sequence that looks like chance and is the same each time. */
export function chanceOf(seed: number): (most: number) => number {
  let state = seed
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * most)
  }
}

/** The bus' half: entries of one shard, and what is noted beside them. */
export class Store {
  readonly entries = new Map<Position, Remote[]>()
  readonly hashes = new Map<string, Map<string, Uint8Array>>()
  #works: Work[] = []
  #next = 1

  readonly ledger = { settle: (work: Work) => void this.#works.push(work) } as unknown as Ledger

  append(frame: Remote): Entry {
    const position = String(this.#next++)
    this.entries.set(position, [frame])
    return { stream, position, frames: [frame] }
  }

  /** Some of what was handed over is committed, in order. */
  commit(count: number): void {
    for (const { remove, marks = [], done } of this.#works.splice(0, count)) {
      if (remove) this.entries.delete(remove.position)
      for (const { key, field, value } of marks) {
        const fields = this.hashes.get(key) ?? new Map<string, Uint8Array>()
        this.hashes.set(key, fields)
        if (value) fields.set(field, value)
        else fields.delete(field)
      }
      done?.(new Map())
    }
  }

  /** Whoever handed it over is dead. */
  forget(): void {
    this.#works = []
  }

  shard(): Shard {
    const [sessions, handled] = [sessionsKey, handledKey].map(
      (key) => this.hashes.get(key(stream)) ?? new Map(),
    )
    const left = {
      before: new Map(),
      sessions: sessions ?? new Map(),
      handled: handled ?? new Map(),
    }
    return new Shard(stream, { ledger: this.ledger, since: 0, ...left })
  }
}

/** A message to so many at the other server. */
export function remoteFrame(id: number, recipients: number): Remote {
  const stanza = Stanza.parse(
    `<message xmlns='jabber:client' from='juliet@verona.lit/x' to='romeo@mantua.lit' id='${id}'/>`,
  )
  return {
    kind: 'remote',
    from: pair.local,
    to: pair.remote,
    recipients: Array.from({ length: recipients }, (_, at) => `r${at}@mantua.lit`),
    stanza,
    id: String(id),
    at: 0,
    durable: true,
  }
}
