export {
  type ConfigEntry,
  configEntries,
  describeConfig,
  type KeyDescription,
  renderJsonSchema,
  showConfig,
} from './describe.ts'
export { failpointFromEnvironment } from './failpoint.ts'
export { type Flags, flagsHelp, parseFlags } from './flags.ts'
export type { Environment } from './interpolate.ts'
export { type Loaded, load, type Override, type Sources } from './load.ts'
export { type ConfigSources, loadConfig, shiftPorts } from './load-config.ts'
export { ConfigError, type Problem } from './problem.ts'
export { type Config, configSchema, type HostConfig, withModules } from './schema.ts'
export {
  type Address,
  addresses,
  addressesValue,
  formatAddress,
  parseAddress,
} from './values/address.ts'
export { duration, durationValue, formatDuration, parseDuration } from './values/duration.ts'
export { location, locationValue, maskUrl } from './values/location.ts'
export { count, countValue, toggle, toggleValue } from './values/scalar.ts'
export { Secret, secretValue } from './values/secret.ts'
export { formatSize, parseSize, size, sizeValue } from './values/size.ts'
