import type { Bus } from '@tactus/bus'
import { CommandClient, CommandError, type CommandRegistry, type ReadContext } from '@tactus/core'
import { type Env, sleep } from '@tactus/env'

/** What commands of jobs run on, as long as one boot of the router lasts. */
interface Ground {
  readonly bus: Bus
  readonly router: string
  readonly context: ReadContext
}

/** How long a job waits for a boot that is not there yet, ms. */
const patience = 15_000

/**
 * Runs commands for the jobs of this router: reads in this process, what changes an entity or is for an instance over
 * the bus as anybody does.
 *
 * The client that waits for answers exists only once it is needed: most routers never run one.
 */
export class JobCommands implements AsyncDisposable {
  readonly #env: Env
  readonly #partitions: number
  readonly #registry: () => CommandRegistry
  #ground: Ground | undefined
  #client: CommandClient | undefined

  constructor(env: Env, partitions: number, registry: () => CommandRegistry) {
    this.#env = env
    this.#partitions = partitions
    this.#registry = registry
  }

  /** A new boot: answers come to another address. */
  async move(ground: Ground | undefined): Promise<void> {
    const before = this.#client
    this.#ground = ground
    this.#client = undefined
    await before?.[Symbol.asyncDispose]()
  }

  /** @throws {CommandError} */
  async run(name: string, input: unknown, source: string): Promise<unknown> {
    const ground = await this.#ready()
    if (this.#registry().get(name)?.mode !== 'read')
      return await this.#clientOn(ground).submit(name, input, source)
    const result = await this.#registry().runRead(ground.context, name, input)
    if (result.ok) return result.output
    throw new CommandError(result.error, result.message)
  }

  async #ready(): Promise<Ground> {
    const { clock } = this.#env
    const deadline = clock.monotonic() + patience
    while (!this.#ground) {
      if (clock.monotonic() >= deadline)
        throw new CommandError('unavailable', 'this router serves nothing at the moment')
      await sleep(clock, 100)
    }
    return this.#ground
  }

  #clientOn({ bus, router }: Ground): CommandClient {
    this.#client ??= new CommandClient({
      bus,
      env: this.#env,
      instance: `jobs-${router}`,
      partitions: this.#partitions,
      commands: this.#registry(),
    })
    return this.#client
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.move(undefined)
  }
}
