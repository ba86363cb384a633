import {
  mayFederate,
  type RemoteStream,
  type RemoteTarget,
  type Request,
  type Requests,
} from '@tactus/bus'
import { shardCount, shardStream } from '@tactus/cluster'
import { type Cancel, sleep } from '@tactus/env'
import type { Metrics } from '@tactus/telemetry'
import { type Arrived, passage } from '../passage.ts'
import type { Services } from '../services.ts'
import type { Connection, ConnectionContext } from '../stream/connection.ts'
import { dialbackKey } from './dialback-key.ts'
import type { Dialer } from './dialer.ts'
import { finders } from './finders.ts'
import { Gate } from './gate.ts'
import { IncomingStream } from './incoming.ts'
import { IncomingDoor } from './incoming-door.ts'
import type { Reception } from './intake.ts'
import { Leases, rendezvous } from './leases.ts'
import { Ledger } from './ledger.ts'
import { declareRemoteMetrics, type RemoteMetrics } from './metrics.ts'
import { closeStreams, isBanned, provedPairs } from './operator.ts'
import { Outgoing } from './outgoing.ts'
import { PartitionRoom } from './partition-room.ts'
import { Passing } from './passing.ts'
import { Resumptions } from './resumptions.ts'
import type { Resolver } from './targets.ts'
import { Ways } from './ways.ts'

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

/** What goes with a stanza from outside. */
type Received = Pick<Reception, 'done'> & Partial<Reception>

const tickEvery = 100
const guardEvery = 1_000
const shards = Array.from({ length: shardCount }, (_, shard) => shardStream(shard))
/** Milliseconds that a drain waits for what is being written. */
const leaveWithin = 3_000

/** Everything between this connection manager and other servers (RFC 6120 §4, XEP-0220). */
export class Federation implements AsyncDisposable {
  /** Where other servers come in. */
  readonly door: IncomingDoor
  readonly #options: FederationOptions
  readonly #metrics: RemoteMetrics
  readonly #context: ConnectionContext
  readonly #dialer: Dialer
  readonly #outgoing: Outgoing
  /** What this instance commits; everything that does goes by it, as there is one counter for all. */
  readonly ledger: Ledger
  readonly #leases: Leases
  readonly #room: PartitionRoom
  readonly #passing: Passing
  readonly #resumptions: Resumptions
  readonly #gate: Gate
  readonly #ways: Ways
  #cancel: Cancel = () => {}
  #cancelGuard: Cancel = () => {}

  constructor(options: FederationOptions) {
    this.#options = options
    const { services } = options
    const { bus, env, instance, settings } = services
    this.#metrics = declareRemoteMetrics(options.metrics)
    this.#gate = new Gate(services, this.#metrics)
    this.#context = this.#makeContext()
    this.#room = new PartitionRoom(bus, env, settings.partitions)
    this.#passing = new Passing(bus, env, settings.partitions)
    this.ledger = this.#makeLedger()
    this.#resumptions = new Resumptions({
      bus,
      env,
      instance,
      ledger: this.ledger,
      passed: () => this.#passing.everything(),
      within: settings.s2s.timeouts.resumption,
      ttl: settings.ttl,
    })
    this.#ways = new Ways({
      services,
      shard: (stream) => this.#leases.held.get(stream),
      offered: (offer, shard) => this.#outgoing.offer(offer, shard),
      awake: (local, remote) => this.#outgoing.awake(local, remote),
      isSure: () => this.#leases.isSure,
    })
    const { dialer, judge } = finders(options)
    this.#dialer = dialer
    this.#outgoing = new Outgoing({
      services,
      context: this.#context,
      metrics: this.#metrics,
      dialer,
      judge,
      hostOf: (domain) => services.hosts.hostOf(domain),
      speaks: (local, remote) => mayFederate(services.hosts.hostOf(local)?.federation, remote),
      isServed: (domain) => services.hosts.domainStatus(domain) === 'served',
      passed: () => this.#passing.everything(),
      accept: ({ marks, done, passed, ...arrived }) => {
        this.#metrics.stanzas.with({ direction: 'in' }).inc()
        this.receive(arrived, { marks, done, passed })
      },
      relays: this.#ways,
      isSure: () => this.#leases.isSure,
      dialbackKey: (local, remote, streamId) =>
        dialbackKey(options.dialbackSecret, { receiving: remote, originating: local, streamId }),
    })
    this.#leases = this.#makeLeases()
    this.door = new IncomingDoor({
      services,
      context: this.#context,
      metrics: this.#metrics,
      receive: (arrived, work) => this.receive(arrived, work),
      dialbackSecret: options.dialbackSecret,
      resumptions: this.#resumptions,
      judge,
      ways: settings.s2s.bidi ? this.#ways.here : undefined,
      proved: (local, remote) => void this.#ways.tellAwake(local, remote),
      verify: (question) => this.#outgoing.verify(question),
      changed: () => this.#countStreams(),
    })
  }

  async start(): Promise<void> {
    await this.#leases.start()
    this.#arm()
    this.#guard()
  }

  /** Puts what came from outside on its way, exactly once. `passed` is called once its recipient's owner has committed it. */
  receive(arrived: Arrived, { marks, done, passed }: Received): void {
    const way = passage(this.#options.services, arrived)
    const { stream } = way
    this.#room.use(stream)
    this.ledger.receive({
      inputs: [way],
      bytes: arrived.stanza.bytes.length,
      ...(marks && { marks }),
      done: (positions) => {
        done()
        if (passed) this.#passing.add(stream, positions.get(stream), passed)
      },
    })
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
    for (const connection of this.door.connections) connection.finish('closed')
  }

  async undrain(): Promise<void> {
    await this.#leases.leaving(false)
  }

  /** Streams, and what waits for some, for people. */
  list(): readonly RemoteStream[] {
    const incoming = [...this.door.connections].flatMap(({ handler, address }): RemoteStream[] => {
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

  /** Ends the streams with a domain. */
  close(domain: string): Requests['s2s.close']['output'] {
    return closeStreams(this.#connections, ({ remote }) => remote === domain)
  }

  /** What the DNS says of a domain. @throws {Error} */
  async lookUp(domain: string): Promise<readonly RemoteTarget[]> {
    return await this.#dialer.lookUp(domain)
  }

  get #connections(): Iterable<Connection> {
    return [...this.door.connections, ...this.#outgoing.connections]
  }

  /** Whether another instance asks about streams that carry stanzas back (XEP-0288). */
  answers({ method }: Request): boolean {
    return this.#ways.knows(method)
  }

  async answer(request: Request): Promise<unknown> {
    return await this.#ways.answer(request)
  }

  /** Another instance goes on with a stream that was here (XEP-0198 §5). */
  async yields(token: string): Promise<void> {
    await this.#resumptions.yield(token)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel()
    this.#cancelGuard()
    this.#leases.stop()
    this.ledger.stop()
    this.#room.stop()
    this.#passing.stop()
    this.door[Symbol.dispose]()
    for (const connection of this.#outgoing.connections) connection.transport.destroy()
  }

  #arm(): void {
    this.#cancel = this.#options.services.env.clock.after(tickEvery, () => {
      this.#arm()
      this.#outgoing.tick()
      this.#ways.here.tick()
      // One of all does it: whoever holds the first shard.
      this.#resumptions
        .tick(this.#leases.held.has(shardStream(0)))
        .catch((error) => this.#options.services.log.warn('streams_not_forgotten', { err: error }))
      this.#metrics.shards.set(this.#leases.held.size)
    })
  }

  /** Now and then: who was banned is shown out. */
  #guard(): void {
    const { hosts, env } = this.#options.services
    this.#cancelGuard = env.clock.after(guardEvery, () => {
      this.#guard()
      closeStreams(this.#connections, (pair) => isBanned(hosts, pair))
    })
  }

  #makeLedger(): Ledger {
    const { bus, env, instance, log } = this.#options.services
    return new Ledger({
      bus,
      env,
      instance,
      hasRoom: (stream) => this.#room.has(stream),
      lost: () => {
        log.error('shards_lost')
        this.#options.lost()
      },
      retried: (error) => {
        this.#metrics.retries.inc()
        log.warn('commit_repeated', { err: error })
      },
    })
  }

  #makeLeases(): Leases {
    const { bus, env, instance, settings, log } = this.#options.services
    return new Leases({
      bus,
      env,
      instance,
      ttl: settings.ttl,
      ledger: this.ledger,
      streams: () => shards,
      preferred: rendezvous,
      taken: (shard) => this.#outgoing.taken(shard),
      item: (item) => this.#outgoing.add(item),
      leave: (shard, isLost) => this.#outgoing.leave(shard, isLost),
      failed: (error) => log.warn('shards_unread', { err: error }),
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
        failed: ({ address, handler }, { condition }) => {
          for (const { local, remote } of provedPairs(handler))
            this.#gate.hit(local, remote, condition)
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
    this.door.connections.delete(connection)
    this.#outgoing.connections.delete(connection)
    this.#countStreams()
  }

  #countStreams(): void {
    this.#metrics.streams.with({ direction: 'in' }).set(this.door.connections.size)
    this.#metrics.streams.with({ direction: 'out' }).set(this.#outgoing.connections.size)
  }
}
