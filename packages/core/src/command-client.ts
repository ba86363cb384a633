import {
  type Bus,
  BusFull,
  BusUnavailable,
  type CommandReply,
  type Position,
  RequestFailed,
} from '@tactus/bus'
import { deliveryStream, partitionOf, partitionStream } from '@tactus/cluster'
import { type Env, sleep } from '@tactus/env'
import type { CommandRegistry, CommandResult } from './command-registry.ts'
import { type CommandDefinition, CommandError } from './commands.ts'

/** What a command client stands on. */
export interface CommandClientOptions {
  readonly bus: Bus
  readonly env: Env
  /** This instance's id: replies come to its delivery stream. Must not be read by anybody else. */
  readonly instance: string
  /** Partition count of the cluster. */
  readonly partitions: number
  readonly commands: CommandRegistry
  /** Longest wait for an answer, ms. */
  readonly timeout?: number
}

/** How long a reply may take before the request is published once more, ms; the owner runs it only once. */
const repeatAfter = 3_000

/**
 * Runs admin commands over the bus: writes as frames of the entity's partition, reads by request to a live router.
 *
 * tactusctl, the control socket and the API are thin layers over this.
 */
export class CommandClient implements AsyncDisposable {
  readonly #options: CommandClientOptions
  readonly #waiting = new Map<string, (result: CommandResult) => void>()
  readonly #stop = new AbortController()
  readonly #loop: Promise<void>

  constructor(options: CommandClientOptions) {
    this.#options = options
    this.#loop = this.#readReplies()
  }

  /**
   * Runs a command; `given` is what a person or a program gave, before `prepare`.
   *
   * @throws {CommandError} the command's refusal, `invalid` input, or `unavailable` when nobody answered in time
   */
  async run(name: string, given: unknown): Promise<unknown> {
    const command = this.#options.commands.get(name)
    if (!command) throw new CommandError('not-found', `there is no command ${name}`)
    return await this.submit(name, await this.#prepare(command, given))
  }

  /**
   * Runs a command with its input as it travels: what `prepare` would have made.
   *
   * @param source what changes an entity under the same source a second time is answered again and not run again; secret
   */
  async submit(name: string, input: unknown, source?: string): Promise<unknown> {
    const command = this.#options.commands.get(name)
    if (!command) throw new CommandError('not-found', `there is no command ${name}`)
    if (command.mode === 'control') return await this.#tell(command, input)
    const result =
      command.mode === 'read'
        ? await this.#ask(name, input)
        : await this.#write(command, input, source)
    if (result.ok) return result.output
    throw new CommandError(result.error, result.message)
  }

  async #prepare(command: CommandDefinition, given: unknown): Promise<unknown> {
    const caller = command.mode === 'write' ? command.caller : undefined
    const parsed = (caller?.form ?? command.input).safeParse(given ?? {})
    if (!parsed.success) throw new CommandError('invalid', describe(parsed.error.issues))
    if (!caller) return parsed.data
    return await caller.prepare(parsed.data as never, {
      random: (length) => this.#options.env.random(length),
    })
  }

  async #write(
    command: Extract<CommandDefinition, { mode: 'write' }>,
    input: unknown,
    given: string | undefined,
  ): Promise<CommandResult> {
    const { bus, env, instance, partitions } = this.#options
    const source = given ?? Buffer.from(env.random(18)).toString('base64url')
    const entity = command.entity(command.input.parse(input) as never)
    const frame = {
      kind: 'command',
      entity,
      source,
      name: command.name,
      input,
      replyTo: instance,
    } as const
    const deadline = env.clock.monotonic() + this.#timeout
    const reply = new Promise<CommandResult>((resolve) => this.#waiting.set(source, resolve))
    try {
      while (env.clock.monotonic() < deadline) {
        await publishQuietly(bus, partitionStream(partitionOf(entity, partitions)), frame)
        const result = await Promise.race([reply, sleep(env.clock, repeatAfter, this.#stop.signal)])
        if (result) return result
      }
    } finally {
      this.#waiting.delete(source)
    }
    throw new CommandError(
      'unavailable',
      `no router answered within ${this.#timeout / 1_000} s; it may still run`,
    )
  }

  async #ask(name: string, input: unknown): Promise<CommandResult> {
    const { bus, env } = this.#options
    const deadline = env.clock.monotonic() + this.#timeout
    while (env.clock.monotonic() < deadline) {
      const routers = (await bus.instances()).filter(({ role }) => role === 'router')
      for (const { id } of routers) {
        const answer = await askQuietly(bus, id, { method: 'command.read', input: { name, input } })
        if (answer) return answer
      }
      await sleep(env.clock, 200, this.#stop.signal)
    }
    throw new CommandError('unavailable', 'no router answers; is the server running?')
  }

  /** Tells one instance. It is asked until it answers: a control command may be repeated. */
  async #tell(
    command: Extract<CommandDefinition, { mode: 'control' }>,
    input: unknown,
  ): Promise<unknown> {
    const { bus, env } = this.#options
    const id = command.instance(input as never)
    const deadline = env.clock.monotonic() + this.#timeout
    while (env.clock.monotonic() < deadline) {
      const known = (await bus.instances()).map((instance) => instance.id)
      if (!known.includes(id))
        throw new CommandError('not-found', `there is no instance ${id}, but ${known.join(', ')}`)
      try {
        return await bus.request(id, command.request(input as never), 5_000)
      } catch (error) {
        if (error instanceof RequestFailed)
          throw new CommandError('unsupported', `${id} does not take this: ${error.message}`)
        if (!(error instanceof BusUnavailable)) throw error
      }
      await sleep(env.clock, 200, this.#stop.signal)
    }
    throw new CommandError('unavailable', `${id} does not answer`)
  }

  get #timeout(): number {
    return this.#options.timeout ?? 15_000
  }

  async #readReplies(): Promise<void> {
    const { env } = this.#options
    let position: Position = '0'
    while (!this.#stop.signal.aborted) {
      try {
        position = await this.#readOnce(position)
      } catch {
        // The bus is away: requests run into their own deadline, this loop goes on when it is back.
        await sleep(env.clock, 250, this.#stop.signal)
      }
    }
  }

  async #readOnce(after: Position): Promise<Position> {
    const { bus, instance } = this.#options
    const stream = deliveryStream(instance)
    const options = { count: 64, wait: 1_000, signal: this.#stop.signal }
    const entries = await bus.read(new Map([[stream, after]]), options)
    for (const { frames } of entries)
      for (const frame of frames) if (frame.kind === 'command.reply') this.#take(frame)
    const last = entries.at(-1)?.position
    if (last === undefined) return after
    await bus.remove(stream, last)
    return last
  }

  #take(reply: CommandReply): void {
    this.#waiting.get(reply.source)?.(reply.result)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#loop
  }
}

async function publishQuietly(
  bus: Bus,
  stream: string,
  frame: Parameters<Bus['publish']>[1][number],
): Promise<void> {
  try {
    await bus.publish(stream, [frame])
  } catch (error) {
    if (!(error instanceof BusUnavailable || error instanceof BusFull)) throw error
  }
}

async function askQuietly(
  bus: Bus,
  router: string,
  request: Parameters<Bus['request']>[1],
): Promise<CommandResult | undefined> {
  try {
    return (await bus.request(router, request, 5_000)) as CommandResult
  } catch (error) {
    if (error instanceof BusUnavailable) return undefined
    throw error
  }
}

function describe(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string {
  return issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`).join('; ')
}
