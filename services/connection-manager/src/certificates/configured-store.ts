import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import type { Logger } from '@tactus/telemetry'
import type { ConnectionManagerOptions } from '../connection-manager.ts'
import type { HostDirectory } from '../host-directory.ts'
import { CertificateStore } from './certificate-store.ts'

/** The certificates of the hosts that are served, as the configuration says. @throws {Error} where a file of it cannot be read */
export function configuredStore(
  { config, env, dataFolder }: Pick<ConnectionManagerOptions, 'config' | 'env' | 'dataFolder'>,
  hosts: HostDirectory,
  log: Logger,
): CertificateStore {
  return new CertificateStore({
    folder: config.tls.certificates,
    selfMadeFolder: dataFolder === undefined ? undefined : join(dataFolder, 'certificates'),
    isServed: (domain) => hosts.hostOf(domain) !== undefined,
    fallback: () => hosts.first ?? 'localhost',
    authorities: authoritiesOf(config.s2s.authorities),
    env,
    log,
  })
}

/** Those of the system, and those of a file. @throws {Error} when it cannot be read */
function authoritiesOf(file: string | undefined): readonly string[] | undefined {
  return file === undefined ? undefined : [...rootCertificates, readFileSync(file, 'utf8')]
}
