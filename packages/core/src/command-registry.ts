import type { Input, Turn } from '@tactus/cluster'
import { type CommandDefinition, CommandError, type ReadContext } from './commands.ts'
import type { EntityScope } from './entity-scope.ts'
import { commandStore } from './session-state.ts'

type CommandInput = Extract<Input, { kind: 'command' }>
/** What the asker gets: the command's output, or a stable code with a sentence. */
export type CommandResult =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly error: string; readonly message: string }

/** How long the answer of a command is kept for a repeat, ms. */
const remembered = 600_000
/** First word of the timers that forget commands. */
export const commandTimer = 'command'

/** All commands by name: what tactusctl, the HTTP API, ad-hoc commands and the docs are made from (design §7). */
export class CommandRegistry {
  readonly #commands = new Map<string, CommandDefinition>()

  add(command: CommandDefinition): void {
    if (this.#commands.has(command.name)) throw new Error(`two commands are called ${command.name}`)
    this.#commands.set(command.name, command)
  }

  list(): readonly CommandDefinition[] {
    return [...this.#commands.values()]
  }

  get(name: string): CommandDefinition | undefined {
    return this.#commands.get(name)
  }

  /** Runs a command that changes an entity, as an input of that entity; a repeat gets the first answer again. */
  runWrite(scope: EntityScope, input: CommandInput): void {
    const { turn } = scope
    const before = turn.get(commandStore, input.source)
    if (before !== undefined) return reply(turn, input, before as CommandResult)
    const command = this.#commands.get(input.name)
    if (command?.mode !== 'write')
      throw new CommandError(
        'not-found',
        `there is no command ${input.name} that changes something`,
      )
    const parsed = parseInput(command, input.input)
    const result: CommandResult = { ok: true, output: command.run(scope, parsed as never) ?? null }
    turn.set(commandStore, input.source, result)
    turn.timer(`${commandTimer} ${input.source}`, scope.now + remembered, '')
    reply(turn, input, result)
  }

  /** Runs a read; errors of the command become results, others are thrown. */
  async runRead(context: ReadContext, name: string, input: unknown): Promise<CommandResult> {
    try {
      const command = this.#commands.get(name)
      if (command?.mode !== 'read')
        throw new CommandError('not-found', `there is no command ${name} that reads`)
      return { ok: true, output: await command.run(context, parseInput(command, input) as never) }
    } catch (error) {
      if (error instanceof CommandError)
        return { ok: false, error: error.code, message: error.message }
      throw error
    }
  }
}

/** Answers a command that failed: the turn in which it ran was dropped. */
export function replyFailure(turn: Turn, input: CommandInput, error: unknown): void {
  const known = error instanceof CommandError
  reply(turn, input, {
    ok: false,
    error: known ? error.code : 'internal',
    message: known ? error.message : 'the command failed; the log says why',
  })
}

function reply(turn: Turn, input: CommandInput, result: CommandResult): void {
  turn.output(input.replyTo, { kind: 'command.reply', source: input.source, result })
}

function parseInput(command: CommandDefinition, input: unknown): unknown {
  const parsed = command.input.safeParse(input ?? {})
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new CommandError('invalid', problems.join('; '))
}
