import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Half, isListed, mayFederate, type RemoteStream } from '@tactus/bus'
import { partitionOf, partitionStream } from '@tactus/cluster'
import { type Cancel, sleep } from '@tactus/env'
import { NS_SERVER } from '@tactus/stanza'
import { tcpFraming } from '@tactus/stream'
import type { Metrics } from '@tactus/telemetry'
import type { Arrival, Door } from '../door/listener.ts'
import { attach, detach } from '../door/socket-events.ts'
import type { Services } from '../services.ts'
import { Connection, type ConnectionContext } from '../stream/connection.ts'
import { dialbackKey, isDialbackKey } from './dialback-key.ts'
import { Dialer, isVerified } from './dialer.ts'
import { type IncomingPorts, IncomingStream } from './incoming.ts'
import { Leases } from './leases.ts'
import { Ledger } from './ledger.ts'
import { declareRemoteMetrics, type RemoteMetrics } from './metrics.ts'
import { Outgoing } from './outgoing.ts'
import { PartitionRoom } from './partition-room.ts'
import { dnsResolver } from './resolver.ts'
import type { Resolver } from './targets.ts'
import { TlsAcceptor } from './tls-acceptor.ts'

/** What federation is made of. */
export interface FederationOptions {
  readonly services: Services
  readonly metrics: Metrics
  /** The system's when absent. */
  readonly resolver: Resolver | undefined
  /** The same on all instances, so that any can tell whose key it is. */
  readonly dialbackSecret: Uint8Array
  /** Another instance has taken over from this one. */
  lost(): void
}

const framing = tcpFraming(NS_SERVER)
const tickEvery = 100
/** Passages that a stanza from outside may make here. */
const hops = 16
/** Milliseconds that a drain waits for what is being written. */
const leaveWithin = 3_000

/** Everything between this connection manager and other servers (RFC 6120 §4, XEP-0220). */
export class Federation implements Door, AsyncDisposable {
  readonly protocols = ['xmpp-server']
  readonly #options: FederationOptions
  readonly #metrics: RemoteMetrics
  readonly #context: ConnectionContext
  readonly #dialer: Dialer
  readonly #outgoing: Outgoing
  readonly #ledger: Ledger
  readonly #leases: Leases
  readonly #room: PartitionRoom
  readonly #acceptor: TlsAcceptor
  readonly #incoming = new Set<Connection>()
  #cancel: Cancel = () => {}

  constructor(options: FederationOptions) {
    this.#options = options
    const { services } = options
    const { bus, env, instance, settings, log, certificates } = services
    this.#metrics = declareRemoteMetrics(options.metrics)
    this.#context = this.#makeContext()
    this.#room = new PartitionRoom(bus, env, settings.partitions)
    this.#ledger = new Ledger({
      bus,
      env,
      instance,
      hasRoom: (stream) => this.#room.has(stream),
      lost: () => {
        log.error('shards_lost')
        options.lost()
      },
      retried: (error) => {
        this.#metrics.retries.inc()
        log.warn('commit_repeated', { err: error })
      },
    })
    const { dns, connect } = settings.s2s.timeouts
    this.#dialer = new Dialer({
      resolver: options.resolver ?? dnsResolver({ servers: settings.s2s.resolvers, timeout: dns }),
      chance: () => Buffer.from(env.random(4)).readUInt32BE(0) / 2 ** 32,
      port: settings.s2s.port,
      allowPrivate: settings.s2s.allowPrivate,
      timeout: connect,
      contextFor: (domain) => certificates.contextFor(domain),
    })
    this.#outgoing = new Outgoing({
      services,
      context: this.#context,
      metrics: this.#metrics,
      dialer: this.#dialer,
      hostOf: (domain) => services.hosts.hostOf(domain),
      isSure: () => this.#leases.isSure,
      dialbackKey: (local, remote, streamId) =>
        dialbackKey(options.dialbackSecret, { receiving: remote, originating: local, streamId }),
    })
    this.#leases = new Leases({
      bus,
      env,
      instance,
      ttl: settings.ttl,
      ledger: this.#ledger,
      item: (item) => this.#outgoing.add(item),
      leave: (shard) => this.#outgoing.leave(shard),
      failed: (error) => log.warn('shards_unread', { err: error }),
    })
    this.#acceptor = new TlsAcceptor(certificates, settings.timeouts.tls)
  }

  async start(): Promise<void> {
    await this.#leases.start()
    this.#arm()
  }

  /** Gives its shards to others behind what is being written, and closes its streams. */
  async drain(within: number = leaveWithin): Promise<void> {
    const { clock } = this.#options.services.env
    const deadline = clock.monotonic() + within
    if (within > 0) await this.#leases.leaving(true)
    while (this.#leases.held.size > 0 && clock.monotonic() < deadline) {
      await sleep(clock, tickEvery)
      await this.#leases.leaving(true)
    }
    this.#outgoing.close()
    for (const connection of this.#incoming) connection.finish('closed')
  }

  async undrain(): Promise<void> {
    await this.#leases.leaving(false)
  }

  /** Streams, and what waits for some, for people. */
  list(): readonly RemoteStream[] {
    const incoming = [...this.#incoming].flatMap(({ handler, address }): RemoteStream[] => {
      if (!(handler instanceof IncomingStream)) return []
      const tls = handler.tls?.protocol ?? 'none'
      const shared = { direction: 'in', tls, queued: 0, address, problem: '' } as const
      if (handler.pairs.size === 0) {
        const { local = '', remote = '' } = handler
        return [{ ...shared, local, remote, state: 'negotiating', authentication: '' }]
      }
      return Array.from(handler.pairs, ([pair, authentication]) => {
        const [remote = '', local = ''] = pair.split(' ')
        return { ...shared, local, remote, state: 'open', authentication }
      })
    })
    return [...incoming, ...this.#outgoing.list()]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel()
    this.#leases.stop()
    this.#ledger.stop()
    this.#room.stop()
    this.#acceptor[Symbol.dispose]()
    for (const connection of [...this.#incoming, ...this.#outgoing.connections])
      connection.transport.destroy()
  }

  #arm(): void {
    this.#cancel = this.#options.services.env.clock.after(tickEvery, () => {
      this.#arm()
      this.#outgoing.tick()
      this.#metrics.shards.set(this.#leases.held.size)
    })
  }

  #makeContext(): ConnectionContext {
    const { connections, settings, log } = this.#options.services
    const bytesIn = this.#metrics.bytes.with({ direction: 'in' })
    const bytesOut = this.#metrics.bytes.with({ direction: 'out' })
    return {
      ...connections,
      rate: settings.s2s.rate,
      hooks: {
        received: (bytes) => bytesIn.inc(bytes),
        sent: (bytes) => bytesOut.inc(bytes),
        failed: ({ address }, { condition }) => {
          this.#metrics.streamErrors.with({ condition }).inc()
          log.info('remote_stream_failed', { address, condition })
        },
        crashed: ({ address }, error) =>
          log.error('remote_stream_crashed', { address, err: error }),
        closed: (connection) => this.#closed(connection),
      },
    }
  }

  #closed(connection: Connection): void {
    this.#incoming.delete(connection)
    this.#outgoing.connections.delete(connection)
    this.#countStreams()
  }

  #countStreams(): void {
    this.#metrics.streams.with({ direction: 'in' }).set(this.#incoming.size)
    this.#metrics.streams.with({ direction: 'out' }).set(this.#outgoing.connections.size)
  }

  speaksForOthers(): boolean {
    return false
  }

  take({ socket, address }: Arrival): void {
    const { addresses, settings } = this.#options.services
    let isSettled = false
    const settle = (): void => {
      if (!isSettled) addresses.settle(address)
      isSettled = true
    }
    socket.once('close', settle)
    const isFull = this.#incoming.size >= settings.s2s.connections
    const outcome = isFull ? 'refused' : 'opened'
    this.#metrics.connections.with({ direction: 'in', outcome }).inc()
    if (isFull) return void socket.resetAndDestroy()
    const connection: Connection = new Connection({
      transport: socket,
      address,
      framing,
      context: this.#context,
      limits: settings.preAuth,
      handler: (made) =>
        new IncomingStream({
          connection: made,
          ports: this.#ports(settle),
          startTls: () => this.#startTls(made, socket),
        }),
    })
    this.#incoming.add(connection)
    this.#countStreams()
    attach(socket, connection)
  }

  #startTls(connection: Connection, socket: Socket): void {
    detach(socket)
    socket.once('close', () => connection.broken())
    this.#acceptor.secure(socket, (tls: TLSSocket) => {
      connection.transport = tls
      const { handler } = connection
      if (handler instanceof IncomingStream)
        handler.secured(tls.getProtocol() ?? '', (domain) => isVerified(tls, domain))
      attach(tls, connection)
    })
  }

  #ports(settle: () => void): IncomingPorts {
    const { services, dialbackSecret } = this.#options
    const { hosts, settings, env } = services
    return {
      status: (domain) => hosts.domainStatus(domain),
      lookAgain: () => hosts.lookAgain(),
      speaks: (local, remote) => mayFederate(hosts.hostOf(local)?.federation, remote),
      unverifiedAllowed: (local, remote) =>
        isListed(remote, hosts.hostOf(local)?.federation?.dialback ?? []),
      isOurKey: (local, remote, streamId, key) =>
        isDialbackKey(dialbackSecret, { receiving: remote, originating: local, streamId }, key),
      verify: (question) => this.#outgoing.verify(question),
      accept: (stanza, entity, id, done) => {
        this.#metrics.stanzas.with({ direction: 'in' }).inc()
        const frame: Half = {
          kind: 'half',
          entity,
          stanza,
          id,
          at: env.clock.now(),
          durable: stanza.name === 'message',
          hops,
        }
        const stream = partitionStream(partitionOf(entity, settings.partitions))
        this.#room.use(stream)
        this.#ledger.receive({ inputs: [{ stream, frame }], bytes: stanza.bytes.length, done })
      },
      random: (length) => env.random(length),
      decided: (mechanism, outcome) =>
        this.#metrics.authentications.with({ direction: 'in', mechanism, outcome }).inc(),
      tlsRequired: settings.tlsRequired,
      timeouts: settings.s2s.timeouts,
      authenticated: (connection) => {
        settle()
        connection.setLimits(settings.server)
      },
    }
  }
}
