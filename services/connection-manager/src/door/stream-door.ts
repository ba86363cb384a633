import type { Socket } from 'node:net'
import { tcpFraming } from '@tactus/stream'
import { tlsInfoOf } from '../certificates/channel-bindings.ts'
import type { Services } from '../services.ts'
import type { Connection } from '../stream/connection.ts'
import { Negotiation } from '../stream/negotiation.ts'
import { openStream } from '../stream/open-stream.ts'
import type { Arrival, Door } from './listener.ts'
import { attach, detach } from './socket-events.ts'
import { secure } from './tls-upgrade.ts'

const framing = tcpFraming()

/** Client streams over TCP. */
export class StreamDoor implements Door {
  readonly protocols = ['xmpp-client']
  readonly #services: Services
  readonly #connections: Set<Connection>

  constructor(services: Services, connections: Set<Connection>) {
    this.#services = services
    this.#connections = connections
  }

  speaksForOthers(): boolean {
    return false
  }

  take({ socket, address, tls }: Arrival): void {
    openStream(this.#services, this.#connections, {
      socket,
      address,
      framing,
      tls,
      ...(!tls && { startTls: (connection) => this.#upgrade(connection, socket) }),
    })
  }

  /** RFC 6120 §5.4.3: TLS starts on the same socket. */
  #upgrade(connection: Connection, socket: Socket): void {
    const { certificates, metrics } = this.#services
    detach(socket)
    const tls = secure(socket, { certificates })
    connection.transport = tls
    tls.once('secure', () => {
      metrics.handshakes.with({ outcome: 'succeeded' }).inc()
      if (connection.handler instanceof Negotiation) connection.handler.secured(tlsInfoOf(tls))
    })
    tls.once('_tlsError', () => metrics.handshakes.with({ outcome: 'failed' }).inc())
    attach(tls, connection)
  }
}
