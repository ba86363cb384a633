import type { Bus } from '@tactus/bus'
import type { Env } from '@tactus/env'
import type { Logger } from '@tactus/telemetry'
import type { CertificateStore } from './certificates/certificate-store.ts'
import type { CommandClient } from './command-client.ts'
import type { HostDirectory } from './host-directory.ts'
import type { AddressBook } from './limits/address-book.ts'
import type { ConnectionMetrics } from './metrics.ts'
import type { RouterClient } from './router-client.ts'
import type { SessionRegistry } from './session/session-registry.ts'
import type { Settings } from './settings.ts'
import type { ConnectionContext } from './stream/connection.ts'

/** What one connection manager is made of; made once at start, handed to whom it concerns. */
export interface Services {
  /** This boot's instance id, whose delivery stream we read. */
  readonly instance: string
  readonly settings: Settings
  readonly env: Env
  readonly bus: Bus
  readonly log: Logger
  readonly metrics: ConnectionMetrics
  readonly hosts: HostDirectory
  readonly routers: RouterClient
  readonly commands: CommandClient
  readonly certificates: CertificateStore
  /** Whether an address is a proxy that is believed (`trustedProxies`). */
  readonly proxies: {
    readonly http: (address: string) => boolean
    readonly tcp: (address: string) => boolean
  }
  readonly addresses: AddressBook
  readonly sessions: SessionRegistry
  readonly connections: ConnectionContext
  /** See `decoyCredentials`: the same on all instances of a cluster. */
  readonly decoySecret: Uint8Array
}
