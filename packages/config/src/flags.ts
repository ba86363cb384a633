import { parseArgs } from 'node:util'
import type { Override } from './load.ts'
import { ConfigError } from './problem.ts'

/** What was said on the command line of a server. */
export interface Flags {
  readonly help: boolean
  readonly version: boolean
  /** The configuration file. */
  readonly config: string | undefined
  /** What the flags put above file and environment. */
  readonly overrides: readonly Override[]
}

const options = {
  config: { type: 'string', short: 'c' },
  data: { type: 'string', short: 'd' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

/** The part of `--help` that tells about `parseFlags`. */
export const flagsHelp = `  -c, --config FILE   configuration file (default: tactus.yaml, if there is one)
  -d, --data FOLDER   where the embedded database lives (default: ./data)
  -h, --help          show this and stop
  -v, --version       show the version and stop

Every key of the file can be set by the environment too: TACTUS_LISTEN__C2S=5222`

/**
 * Reads a server's command line.
 *
 * @throws {ConfigError} for a flag that does not exist or lacks its value
 */
export function parseFlags(args: readonly string[]): Flags {
  try {
    const { values } = parseArgs({ args: [...args], options, strict: true })
    const data = values.data
    return {
      help: values.help ?? false,
      version: values.version ?? false,
      config: values.config,
      overrides:
        data === undefined ? [] : [{ path: ['storage', 'url'], value: data, origin: '--data' }],
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new ConfigError([
      { origin: undefined, path: '', message: `${message.split('. ')[0]}; see --help` },
    ])
  }
}
