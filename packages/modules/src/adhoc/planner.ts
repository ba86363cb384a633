import { type CommandDefinition, CommandError, formOf, mayRun } from '@tactus/core'
import { StanzaError } from '@tactus/stanza'
import type { Caller, Planner, Step, Values } from './offer.ts'
import { badPayload } from './wire.ts'

/** Turns what a caller gave into steps: checked, permitted, and with keys in the place of passwords. */
export function plannerFor(
  commands: readonly CommandDefinition[],
  caller: Caller,
  random: (length: number) => Uint8Array,
): Planner {
  return {
    caller,
    step(name, given) {
      const command = commands.find((known) => known.name === name)
      if (!command) throw new StanzaError('feature-not-implemented')
      const parsed = parse(command, given)
      if (!mayRun(command, caller, parsed)) throw new StanzaError('forbidden')
      return { command: name, about: aboutOf(parsed), input: inputOf(command, parsed, random) }
    },
  }
}

function parse(command: CommandDefinition, given: Values): Values {
  const result = formOf(command).safeParse(given)
  if (result.success) return result.data
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw badPayload(problems.join('; '))
}

function inputOf(
  command: CommandDefinition,
  parsed: Values,
  random: (length: number) => Uint8Array,
): Step['input'] {
  const caller = command.mode === 'write' ? command.caller : undefined
  if (!caller) return parsed
  try {
    return caller.prepareNow(parsed, { random })
  } catch (error) {
    throw error instanceof CommandError ? badPayload(error.message) : error
  }
}

function aboutOf({ jid, host, id }: Values): string {
  return String(jid ?? host ?? id ?? '')
}
