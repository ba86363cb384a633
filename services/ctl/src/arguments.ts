import { parseArgs } from 'node:util'
import { type CommandDefinition, CommandError, type FieldMeta, formOf } from '@tactus/core'
import type { z } from 'zod'

/** One argument of a command, as its schema declares it. */
export interface Argument {
  readonly name: string
  readonly positional: boolean
  readonly required: boolean
  readonly boolean: boolean
  readonly description: string
}

/** The arguments of a command, positional ones first in the order of the schema. */
export function argumentsOf(command: CommandDefinition): readonly Argument[] {
  const list = Object.entries(formOf(command).shape).map(([name, field]): Argument => {
    const schema = field as z.ZodType
    const meta = schema.meta() as FieldMeta | undefined
    return {
      name,
      positional: meta?.positional === true,
      required: !schema.safeParse(undefined).success,
      // A number that is read from text takes `true` as well; only a switch has no use for a digit.
      boolean: schema.safeParse(true).success && !schema.safeParse('1').success,
      description: meta?.description ?? '',
    }
  })
  return [
    ...list.filter(({ positional }) => positional),
    ...list.filter(({ positional }) => !positional),
  ]
}

/** `user add JID --password PASSWORD`, as help pages show it. */
export function usage(command: CommandDefinition): string {
  const words = argumentsOf(command).map(({ name, positional, required, boolean }) => {
    const value = name.toUpperCase()
    const word = positional ? value : boolean ? `--${name}` : `--${name} ${value}`
    return required ? word : `[${word}]`
  })
  return [command.name, ...words].join(' ')
}

/**
 * Finds the command that the first words name, the longest match first.
 *
 * @throws {CommandError} `not-found`, listing what begins with the same word
 */
export function findCommand(
  commands: readonly CommandDefinition[],
  words: readonly string[],
): { readonly command: CommandDefinition; readonly rest: readonly string[] } {
  const offered = commands.filter(({ internal }) => internal !== true)
  for (let count = Math.min(words.length, 4); count > 0; count -= 1) {
    const command = offered.find(({ name }) => name === words.slice(0, count).join(' '))
    if (command) return { command, rest: words.slice(count) }
  }
  const alike = offered
    .filter(({ name }) => name.split(' ')[0] === words[0])
    .map(({ name }) => name)
  const hint = alike.length > 0 ? `; there is: ${alike.join(', ')}` : '; see tactusctl --help'
  throw new CommandError('not-found', `there is no command "${words.slice(0, 2).join(' ')}"${hint}`)
}

/**
 * Turns the words after a command's name into its input.
 *
 * @throws {CommandError} `invalid` for what the command does not take or lacks
 */
export function readArguments(
  command: CommandDefinition,
  words: readonly string[],
): Readonly<Record<string, unknown>> {
  const list = argumentsOf(command)
  const positional = list.filter((argument) => argument.positional)
  const { values, positionals } = parse(command, list, words)
  if (positionals.length > positional.length)
    throw new CommandError(
      'invalid',
      `unexpected "${positionals[positional.length]}"; usage: tactusctl ${usage(command)}`,
    )
  const given: Record<string, unknown> = { ...values }
  for (const [index, argument] of positional.entries())
    if (positionals[index] !== undefined) given[argument.name] = positionals[index]
  const missing = list.filter(({ name, required }) => required && given[name] === undefined)
  if (missing.length > 0)
    throw new CommandError(
      'invalid',
      `missing ${missing.map(({ name }) => name).join(', ')}; usage: tactusctl ${usage(command)}`,
    )
  return given
}

function parse(
  command: CommandDefinition,
  list: readonly Argument[],
  words: readonly string[],
): { readonly values: Record<string, unknown>; readonly positionals: readonly string[] } {
  const options = Object.fromEntries(
    list.map(({ name, boolean }) => [
      name,
      { type: boolean ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      options,
      allowPositionals: true,
      strict: true,
    })
    return { values: { ...values }, positionals }
  } catch (error) {
    const message = error instanceof Error ? error.message.split('. ')[0] : String(error)
    throw new CommandError('invalid', `${message}; usage: tactusctl ${usage(command)}`)
  }
}
