import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { isListed, mayFederate } from '@tactus/bus'
import { NS_SERVER } from '@tactus/stanza'
import { tcpFraming } from '@tactus/stream'
import type { Arrival, Door } from '../door/listener.ts'
import { attach, detach } from '../door/socket-events.ts'
import type { Arrived } from '../passage.ts'
import type { Services } from '../services.ts'
import { Connection, type ConnectionContext } from '../stream/connection.ts'
import type { CertificateJudge } from './certificate-judge.ts'
import { isDialbackKey } from './dialback-key.ts'
import { type IncomingPorts, IncomingStream, type Verdict } from './incoming.ts'
import type { Reception } from './intake.ts'
import type { RemoteMetrics } from './metrics.ts'
import { PeerProof } from './peer-proof.ts'
import type { Resumptions } from './resumptions.ts'
import type { ReturnWays } from './return-ways.ts'
import { TlsAcceptor } from './tls-acceptor.ts'

/** What taking in the streams of other servers needs. */
export interface IncomingDoorPorts {
  readonly services: Services
  readonly context: ConnectionContext
  readonly metrics: RemoteMetrics
  /** Puts what came on its way, exactly once. */
  receive(arrived: Arrived, reception: Reception): void
  readonly dialbackSecret: Uint8Array
  readonly resumptions: Resumptions
  readonly judge: CertificateJudge
  /** Undefined where nothing goes back on streams of others (XEP-0288). */
  readonly ways: ReturnWays | undefined
  verify(question: Parameters<IncomingPorts['verify']>[0]): Promise<Verdict>
  /** Another server has shown that it is there. */
  proved(local: string, remote: string): void
  /** The number of streams has changed. */
  changed(): void
}

const framing = tcpFraming(NS_SERVER)

/** Where other servers come in: by STARTTLS, or with TLS from the first byte (XEP-0368). */
export class IncomingDoor implements Door, Disposable {
  readonly protocols = ['xmpp-server']
  readonly connections: Set<Connection> = new Set()
  /** The door for TLS from the first byte. */
  readonly direct: Door = {
    protocols: this.protocols,
    speaksForOthers: () => false,
    take: (arrival) => this.#takeDirect(arrival),
  }
  readonly #ports: IncomingDoorPorts
  readonly #acceptor: TlsAcceptor
  /** Connections whose hand-shake is not over; they count as the streams that they will be. */
  #shakingHands = 0

  constructor(ports: IncomingDoorPorts) {
    this.#ports = ports
    const { certificates, settings } = ports.services
    this.#acceptor = new TlsAcceptor(certificates, settings.timeouts.tls)
  }

  speaksForOthers(): boolean {
    return false
  }

  take({ socket, address }: Arrival): void {
    const settle = this.#admit(socket, address)
    if (!settle) return
    const connection = this.#open(socket, address, settle, (made) => this.#startTls(made, socket))
    attach(socket, connection)
  }

  [Symbol.dispose](): void {
    this.#acceptor[Symbol.dispose]()
    for (const connection of this.connections) connection.transport.destroy()
  }

  #takeDirect({ socket, address }: Arrival): void {
    const settle = this.#admit(socket, address)
    if (!settle) return
    let isShaking = true
    this.#shakingHands += 1
    const over = (): void => {
      if (isShaking) this.#shakingHands -= 1
      isShaking = false
    }
    socket.once('close', over)
    this.#acceptor.secure(socket, (tls) => {
      over()
      const connection = this.#open(tls, address, settle, undefined)
      this.#secured(connection, tls)
    })
  }

  /** Undefined where there is no room; else what tells that the address counts no more among the unproved. */
  #admit(socket: Socket, address: string): (() => void) | undefined {
    const { services, metrics } = this.#ports
    const { addresses, settings } = services
    let isSettled = false
    const settle = (): void => {
      if (!isSettled) addresses.settle(address)
      isSettled = true
    }
    socket.once('close', settle)
    const isFull = this.connections.size + this.#shakingHands >= settings.s2s.connections
    const outcome = isFull ? 'refused' : 'opened'
    metrics.connections.with({ direction: 'in', outcome }).inc()
    if (isFull) socket.resetAndDestroy()
    return isFull ? undefined : settle
  }

  #open(
    transport: Socket,
    address: string,
    settle: () => void,
    startTls: ((connection: Connection) => void) | undefined,
  ): Connection {
    const { context, services, changed } = this.#ports
    const connection: Connection = new Connection({
      transport,
      address,
      framing,
      context,
      limits: services.settings.preAuth,
      handler: (made) =>
        new IncomingStream({
          connection: made,
          ports: this.#streamPorts(settle),
          startTls: startTls && (() => startTls(made)),
        }),
    })
    this.connections.add(connection)
    changed()
    return connection
  }

  #startTls(connection: Connection, socket: Socket): void {
    detach(socket)
    socket.once('close', () => connection.broken())
    this.#acceptor.secure(socket, (tls: TLSSocket) => {
      connection.transport = tls
      this.#secured(connection, tls)
    })
  }

  #secured(connection: Connection, tls: TLSSocket): void {
    const { handler } = connection
    if (handler instanceof IncomingStream)
      handler.secured(tls.getProtocol() ?? '', this.#proofOf(tls))
    attach(tls, connection)
  }

  #proofOf(tls: TLSSocket): PeerProof {
    const { judge } = this.#ports
    return new PeerProof((local, remote) => judge.isProvedByClient(tls, { local, remote }))
  }

  #streamPorts(settle: () => void): IncomingPorts {
    const { services, dialbackSecret, metrics, receive } = this.#ports
    const { hosts, settings, env } = services
    return {
      status: (domain) => hosts.domainStatus(domain),
      lookAgain: () => hosts.lookAgain(),
      speaks: (local, remote) => mayFederate(hosts.hostOf(local)?.federation, remote),
      unverifiedAllowed: (local, remote) =>
        isListed(remote, hosts.hostOf(local)?.federation?.dialback ?? []),
      isOurKey: (local, remote, streamId, key) =>
        isDialbackKey(dialbackSecret, { receiving: remote, originating: local, streamId }, key),
      verify: (question) => this.#ports.verify(question),
      accept: ({ marks, done, passed, ...arrived }) => {
        metrics.stanzas.with({ direction: 'in' }).inc()
        receive(arrived, { marks, done, passed })
      },
      random: (length) => env.random(length),
      resumable: this.#ports.resumptions,
      decided: (mechanism, outcome) =>
        metrics.authentications.with({ direction: 'in', mechanism, outcome }).inc(),
      ways: this.#ports.ways,
      proved: this.#ports.proved,
      tlsRequired: settings.tlsRequired,
      timeouts: settings.s2s.timeouts,
      limits: {
        maxBytes: settings.server.bytes,
        idleSeconds: Math.floor(settings.s2s.timeouts.idle / 1_000),
      },
      authenticated: (connection) => {
        settle()
        connection.setLimits(settings.server)
      },
    }
  }
}
