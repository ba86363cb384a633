import type { Command, CommandReply, StreamName } from '@tactus/bus'
import type { Cancel, Env } from '@tactus/env'
import type { Publisher } from './session/publisher.ts'

/** The owner did not answer in time; whether the command was run is unknown. */
export class CommandTimeout extends Error {}

interface Waiting {
  readonly resolve: (result: CommandReply['result']) => void
  readonly cancel: Cancel
}

/** What to ask an entity's owner for. */
export interface CommandCall {
  readonly entity: string
  readonly stream: StreamName
  readonly name: string
  readonly input: unknown
  /** Milliseconds. */
  readonly timeout: number
}

/** Sends commands to the owners of entities and waits for what comes back on the delivery stream. */
export class CommandClient {
  readonly #publisher: Publisher
  readonly #env: Env
  readonly #replyTo: string
  readonly #waiting = new Map<string, Waiting>()

  constructor(publisher: Publisher, env: Env, replyTo: string) {
    this.#publisher = publisher
    this.#env = env
    this.#replyTo = replyTo
  }

  /** @throws {CommandTimeout} */
  async call({
    entity,
    stream,
    name,
    input,
    timeout,
  }: CommandCall): Promise<CommandReply['result']> {
    const source = Buffer.from(this.#env.random(16)).toString('base64url')
    const frame: Command = {
      kind: 'command',
      entity,
      source,
      name,
      input,
      replyTo: this.#replyTo,
    }
    this.#publisher.post(stream, frame)
    return await new Promise((resolve, reject) => {
      const cancel = this.#env.clock.after(timeout, () => {
        this.#waiting.delete(source)
        reject(new CommandTimeout(`No answer to ${name} within ${timeout} ms.`))
      })
      this.#waiting.set(source, { resolve, cancel })
    })
  }

  replied(frame: CommandReply): void {
    const waiting = this.#waiting.get(frame.source)
    if (!waiting) return
    this.#waiting.delete(frame.source)
    waiting.cancel()
    waiting.resolve(frame.result)
  }
}
