import { Socket } from 'node:net'
import type { Framing } from '@tactus/stream'
import { attach } from '../door/socket-events.ts'
import type { Services } from '../services.ts'
import { Connection } from './connection.ts'
import type { StreamHandler } from './handler.ts'
import { Negotiation } from './negotiation.ts'
import type { TlsInfo } from './tls-info.ts'
import type { Transport } from './transport.ts'

/** A transport on which a client is about to open a stream. */
export interface NewStream {
  readonly socket: Socket | Transport
  /** Admitted and counted. */
  readonly address: string
  readonly framing: Framing
  readonly tls: TlsInfo | undefined
  /** Puts TLS on the transport; undefined where it cannot be had or is there already. */
  readonly startTls?: (connection: Connection) => void
  /** What is said first; negotiation when absent. */
  readonly handler?: (connection: Connection) => StreamHandler
}

/** Makes a connection of a transport, and negotiates on it. */
export function openStream(
  services: Services,
  connections: Set<Connection>,
  { socket, address, framing, tls, startTls, handler }: NewStream,
): Connection {
  const connection = new Connection({
    transport: socket,
    address,
    framing,
    context: services.connections,
    limits: services.settings.preAuth,
    handler:
      handler ??
      ((made) =>
        new Negotiation({
          services,
          connection: made,
          tls,
          startTls: startTls && (() => startTls(made)),
        })),
  })
  connections.add(connection)
  services.metrics.connections.with({ outcome: 'accepted' }).inc()
  services.metrics.streams.with({ state: 'negotiating' }).inc()
  if (socket instanceof Socket) attach(socket, connection)
  return connection
}
