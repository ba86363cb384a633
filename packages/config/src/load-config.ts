import type { z } from 'zod'
import { type Loaded, load, type Sources } from './load.ts'
import { ConfigError, type Problem } from './problem.ts'
import { type Config, configSchema, hostSchema, withModules } from './schema.ts'
import { type Address, formatAddress } from './values/address.ts'

/** Where the configuration comes from, and what the modules say about their part of it. */
export interface ConfigSources extends Sources {
  /** Schemas by module name; without them, `modules` is taken as it is. */
  readonly modules?: Readonly<Record<string, z.ZodType>> | undefined
}

/**
 * Reads a server's configuration: flags > environment > file > defaults.
 *
 * `TACTUS_CONFIG` names the file when no flag does; else `tactus.yaml` is read if there is one.
 *
 * @throws {ConfigError} with everything that is wrong
 */
export function loadConfig(sources: ConfigSources = {}): Loaded<Config> {
  const environment = sources.environment ?? process.env
  const schema = sources.modules ? withModules(sources.modules) : configSchema
  const loaded = load(schema, {
    ...sources,
    environment,
    file: sources.file ?? (sources.text === undefined ? environment.TACTUS_CONFIG : undefined),
    defaultFile: sources.defaultFile ?? 'tactus.yaml',
  })
  const { config } = loaded
  if (Object.keys(config.hosts).length > 0) return loaded
  return { ...loaded, config: { ...config, hosts: { localhost: hostSchema.parse({}) } } }
}

const portsPerInstance = 100

/**
 * The configuration of the k-th instance on one machine, all from one file: 100·k is added to every
 * port. A port that the system chooses (0) stays so.
 *
 * @throws {ConfigError} when a port would not exist
 */
export function shiftPorts(config: Config, instance: number): Config {
  const problems: Problem[] = []
  const shift = (address: Address, name: string): Address => {
    const port = address.port === 0 ? 0 : address.port + portsPerInstance * instance
    if (port <= 65_535) return { ...address, port }
    const message = `instance ${instance} would listen on port ${port}; use a lower one than ${formatAddress(address)}`
    problems.push({ origin: undefined, path: `listen.${name}`, message })
    return address
  }
  const listen = { ...config.listen }
  for (const name of Object.keys(listen) as (keyof typeof listen)[])
    listen[name] = listen[name].map((address) => shift(address, name))
  if (problems.length > 0) throw new ConfigError(problems)
  return { ...config, listen }
}
