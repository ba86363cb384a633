import { ConfigError, failpointFromEnvironment, loadConfig, type Override } from '@tactus/config'
import { CommandError } from '@tactus/core'
import { realEnv } from '@tactus/env'
import { commandCatalogue, moduleSchemas, productVersion } from '@tactus/router'
import { explainTrouble } from '@tactus/telemetry'
import { findCommand, readArguments } from './arguments.ts'
import { commandHelp, help } from './help.ts'
import { localCommands } from './local-commands.ts'
import { type Options, splitOptions } from './options.ts'
import { render } from './render.ts'
import { runCommand } from './runner.ts'

async function perform({ words, file, data }: Options): Promise<unknown> {
  const commands = commandCatalogue().list()
  const overrides: Override[] =
    data === undefined ? [] : [{ path: ['storage', 'url'], value: data, origin: '--data' }]
  const place = {
    env: realEnv(failpointFromEnvironment()),
    version: productVersion(),
  }
  const local = localCommands.find(({ name }) => words.join(' ') === name)
  // A command that does not exist is told before a configuration that may be broken.
  const found = local ? undefined : findCommand(commands, words)
  const given = found && readArguments(found.command, found.rest)
  const loaded = loadConfig({ file, overrides, modules: moduleSchemas() })
  if (local) return await local.run({ ...place, loaded })
  return await runCommand({ ...place, config: loaded.config }, found?.command.name ?? '', given)
}

function explain(error: unknown): {
  readonly code: string
  readonly message: string
  readonly exitCode: number
} {
  if (error instanceof CommandError)
    return { code: error.code, message: error.message, exitCode: 1 }
  const trouble = explainTrouble(error)
  if (trouble)
    return {
      code: error instanceof ConfigError ? 'config' : 'unavailable',
      message: trouble.text,
      exitCode: trouble.exitCode,
    }
  return {
    code: 'internal',
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    exitCode: 70,
  }
}

async function main(): Promise<void> {
  const options = splitOptions(process.argv.slice(2))
  try {
    if (options.words.length === 0) return tell(help(commandCatalogue().list()))
    if (options.help) return tell(commandHelp(commandCatalogue().list(), options.words))
    const output = await perform(options)
    tell(options.json ? JSON.stringify(output ?? null) : render(output))
  } catch (error) {
    const { code, message, exitCode } = explain(error)
    if (options.json) tell(JSON.stringify({ error: code, message }))
    else process.stderr.write(`tactusctl: ${message}\n`)
    process.exitCode = exitCode
  }
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`)
}

await main()
