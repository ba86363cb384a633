import { setTimeout as pause } from 'node:timers/promises'
import type { Chance } from './chance.ts'
import type { ManagedClient } from './managed-client.ts'

/** How many are disturbed, and by what chance. */
export interface Trouble {
  /** The part of the clients that is stalled or flapping at any moment. */
  readonly disturbed: number
  readonly chance: Chance
}

/** Lets a part of the clients stop reading, or lose their connections again and again. */
export class Troublemaker {
  readonly #clients: readonly ManagedClient[]
  readonly #trouble: Trouble
  readonly #disturbed = new Set<ManagedClient>()
  #timer: NodeJS.Timeout | undefined

  constructor(clients: readonly ManagedClient[], trouble: Trouble) {
    this.#clients = clients
    this.#trouble = trouble
  }

  start(): void {
    this.#timer = setInterval(() => this.#disturb(), 250)
  }

  /** Those who are disturbed recover. */
  stop(): void {
    clearInterval(this.#timer)
    for (const client of this.#clients) client.goOn()
  }

  #disturb(): void {
    const { chance, disturbed } = this.#trouble
    while (this.#disturbed.size < disturbed * this.#clients.length) {
      const client = chance.pick(this.#clients.filter((each) => !this.#disturbed.has(each)))
      this.#disturbed.add(client)
      const trouble = chance.next() < 0.5 ? this.#stall(client) : this.#flap(client)
      void trouble.then(() => this.#disturbed.delete(client))
    }
  }

  async #stall(client: ManagedClient): Promise<void> {
    client.stall()
    await pause(this.#trouble.chance.between(1_000, 6_000))
    client.goOn()
  }

  async #flap(client: ManagedClient): Promise<void> {
    const { chance } = this.#trouble
    for (let times = 0; times < 2; times += 1) {
      client.drop(chance.between(50, 1_500))
      await pause(chance.between(1_500, 3_000))
    }
  }
}
