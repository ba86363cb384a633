import type { CommandDefinition } from '@tactus/core'
import { argumentsOf, findCommand, usage } from './arguments.ts'
import { localCommands } from './local-commands.ts'

const options = `Options, anywhere on the line:
  -c, --config FILE   configuration file (default: tactus.yaml, if there is one)
  -d, --data FOLDER   where the embedded database lives (default: ./data)
      --json          answer in JSON
  -h, --help          help on a command`

/** What `tactusctl` alone says: every command with its sentence. */
export function help(commands: readonly CommandDefinition[]): string {
  const offered = [
    ...commands
      .filter(({ internal }) => internal !== true)
      .map((command) => [usage(command), command.summary] as const),
    ...localCommands.map(({ name, summary }) => [name, summary] as const),
  ].sort(([one], [other]) => one.localeCompare(other))
  const lines = offered.flatMap(([words, summary]) => [`  ${words}`, `      ${summary}`])
  return [
    'tactusctl COMMAND [options]: administers a Tactus server, running or not.',
    '',
    ...lines,
    '',
    options,
  ].join('\n')
}

/** Help on one command. @throws {CommandError} when there is no such command */
export function commandHelp(
  commands: readonly CommandDefinition[],
  words: readonly string[],
): string {
  const local = localCommands.find(({ name }) => name === words.join(' '))
  if (local) return `tactusctl ${local.name}\n\n${local.summary}`
  const { command } = findCommand(commands, words)
  const lines = argumentsOf(command).map(({ name, positional, description }) =>
    `  ${positional ? name.toUpperCase() : `--${name}`}  ${description}`.trimEnd(),
  )
  return [`tactusctl ${usage(command)}`, '', command.summary, '', ...lines, '', options].join('\n')
}
