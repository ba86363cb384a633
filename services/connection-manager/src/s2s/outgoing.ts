import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type HostSummary, isListed, type RemoteStream, type WayBackOffer } from '@tactus/bus'
import { NS_SERVER } from '@tactus/stanza'
import { tcpFraming } from '@tactus/stream'
import { attach, detach } from '../door/socket-events.ts'
import { errorInputs } from '../passage.ts'
import type { Services } from '../services.ts'
import { Connection, type ConnectionContext } from '../stream/connection.ts'
import type { CertificateJudge, Shown } from './certificate-judge.ts'
import { type Dialed, type Dialer, Unreachable } from './dialer.ts'
import type { Verdict } from './incoming.ts'
import { type Accepted, Intake } from './intake.ts'
import type { Mark } from './ledger.ts'
import type { RemoteMetrics } from './metrics.ts'
import {
  type OutgoingListener,
  OutgoingStream,
  type PeerTls,
  type Purpose,
} from './outgoing-stream.ts'
import { Route } from './route.ts'
import type { Returned, RoutePorts } from './route-ports.ts'
import type { Item, Shard } from './shard.ts'
import { Turnstile } from './turnstile.ts'

const framing = tcpFraming(NS_SERVER)
/**
 * Connections that are being made at a time. Who was not there the last time waits with its like: a thousand dead domains
 * cost no more than these, and those who are alive do not stand behind them.
 */
const mostDials = { first: 1_024, again: 64 }
/** Domains remembered that nothing waits for. */
const mostIdle = 10_000

/** What writing to other servers needs. */
export interface OutgoingPorts {
  readonly services: Services
  readonly context: ConnectionContext
  readonly metrics: RemoteMetrics
  readonly dialer: Dialer
  readonly judge: CertificateJudge
  hostOf(domain: string): HostSummary | undefined
  isSure(): boolean
  /** Whether this host of ours speaks to that domain at all. */
  speaks(local: string, remote: string): boolean
  dialbackKey(local: string, remote: string, streamId: string): string
  isServed(domain: string): boolean
  /** Resolves once all that is in partitions now is committed by their owners. */
  passed(): Promise<void>
  /** Hands on what comes by streams of ours (XEP-0288). */
  accept(accepted: Accepted): void
  readonly relays: Pick<RoutePorts, 'attach' | 'relay'>
}

/** All that goes to other servers from this instance: by pair of domains, over the shards that it holds. */
export class Outgoing {
  readonly connections: Set<Connection> = new Set()
  readonly #ports: OutgoingPorts
  readonly #routes = new Map<string, Route>()
  readonly #dials = new Turnstile(mostDials.first)
  readonly #redials = new Turnstile(mostDials.again)
  /** Who waits for the other side's proof must not stand behind those who wait for the dead. */
  readonly #questions = new Turnstile(mostDials.again)
  #bytes = 0

  constructor(ports: OutgoingPorts) {
    this.#ports = ports
  }

  /** A stanza of a shard that this instance holds. */
  add(item: Item): void {
    const { from, to } = item.frame
    this.#bytes += item.bytes
    const isFull = this.#bytes > this.#ports.services.settings.s2s.queue.total
    this.#route(from, to, item.shard).add(item, isFull)
  }

  /** A shard goes to another instance: what is queued of it is read again there. Whether nothing is on its way any more. */
  leave(shard: Shard, isLost: boolean): boolean {
    let isQuiet = true
    for (const [name, route] of this.#routes) {
      if (route.shard !== shard) continue
      if (route.leave(isLost)) this.#routes.delete(name)
      else isQuiet = false
    }
    this.#count()
    return isQuiet
  }

  /** A shard was taken: whoever may have something for its domains that only it can send is gone to. */
  taken(shard: Shard): void {
    for (const pair of shard.drawn) {
      const [local = '', remote = ''] = pair.split(' ')
      this.#route(local, remote, shard).draw()
    }
  }

  /** The other server opened a stream that may be written to; `shard` is that of the pair. */
  offer(offer: WayBackOffer, shard: Shard): void {
    this.#route(offer.local, offer.remote, shard).offer(offer)
  }

  /** The other server of a pair has shown that it is there. */
  awake(local: string, remote: string): void {
    this.#routes.get(`${local} ${remote}`)?.awake()
  }

  tick(): void {
    const now = this.#ports.services.env.clock.monotonic()
    for (const [name, route] of this.#routes) {
      route.tick()
      if (route.isForgettable(now)) this.#routes.delete(name)
    }
    this.#count()
  }

  close(): void {
    for (const connection of this.connections) connection.finish('closed')
  }

  /** XEP-0220 §2.1.2: asks the server of a domain whether a key is its own. */
  async verify(question: {
    readonly local: string
    readonly remote: string
    readonly streamId: string
    readonly key: string
  }): Promise<Verdict> {
    const { local, remote, streamId, key } = question
    const purpose: Purpose = { kind: 'verify', streamId, key }
    return await new Promise<Verdict>((resolve) => {
      void this.#dial(
        { local, remote, purpose },
        {
          ready: () => {},
          verdict: (isValid, verified) =>
            resolve(isValid ? { kind: 'valid', verified } : { kind: 'invalid' }),
          ended: ({ final }) =>
            resolve({
              kind: 'error',
              condition: final === 'remote-server-not-found' ? final : 'remote-server-timeout',
            }),
        },
      )
    })
  }

  list(): RemoteStream[] {
    return [...this.#routes.values()].map((route) => ({
      direction: 'out',
      local: route.local,
      remote: route.remote,
      state: route.state,
      authentication: route.isRelayed ? 'bidi' : (route.stream?.authentication ?? ''),
      tls: route.stream?.tls?.protocol ?? 'none',
      queued: route.queued,
      address: route.stream?.connection.address ?? '',
      problem: route.problem,
    }))
  }

  #route(local: string, remote: string, shard: Shard): Route {
    const name = `${local} ${remote}`
    const known = this.#routes.get(name)
    if (known) return known
    const { services, isSure } = this.#ports
    const { queue, timeouts, bidi } = services.settings.s2s
    const route = new Route({ local, remote }, shard, {
      env: services.env,
      limits: {
        stanzas: queue.stanzas,
        bytes: queue.bytes,
        delivery: timeouts.delivery,
        idle: timeouts.idle,
        acknowledgement: services.settings.ackTimeout,
        resumption: timeouts.resumption,
      },
      isSure,
      ...this.#ports.relays,
      dial: ({ hasFailed, resumes, handled }, listener) => {
        const isBidi = bidi && this.#ports.speaks(local, remote)
        const purpose = { kind: 'stanzas', resumes, handled: isBidi ? handled : undefined } as const
        void this.#dial({ local, remote, purpose, hasFailed }, listener)
      },
      written: (item, marks) => this.#written(item, marks),
      bounced: (item, why, marks) => this.#bounced(item, why, marks),
    })
    if (this.#routes.size >= mostIdle) this.#forgetIdle()
    this.#routes.set(name, route)
    return route
  }

  #forgetIdle(): void {
    for (const [name, route] of this.#routes)
      if (route.queued === 0 && !route.stream && !route.isRelayed) this.#routes.delete(name)
  }

  #count(): void {
    let bytes = 0
    let queued = 0
    for (const route of this.#routes.values()) {
      bytes += route.queuedBytes
      queued += route.queued
    }
    this.#bytes = bytes
    this.#ports.metrics.queued.set(queued)
  }

  #written(item: Item, marks: readonly Mark[]): void {
    this.#ports.metrics.stanzas.with({ direction: 'out' }).inc(item.frame.recipients.length)
    item.shard.settle(item, { marks })
  }

  /** RFC 6120 §8.3.1: an error for each that could not be reached; none for an error. */
  #bounced(item: Item, { condition, text }: Returned, marks: readonly Mark[]): void {
    const { services, metrics } = this.#ports
    metrics.bounced.with({ condition }).inc(item.frame.recipients.length)
    const inputs = errorInputs(services, item.frame, { condition, text })
    item.shard.settle(item, { inputs, marks })
  }

  async #dial(
    to: {
      readonly local: string
      readonly remote: string
      readonly purpose: Purpose
      readonly hasFailed?: boolean
    },
    listener: OutgoingListener,
  ): Promise<void> {
    const { metrics, dialer } = this.#ports
    const outcome = (name: 'opened' | 'failed'): void =>
      metrics.connections.with({ direction: 'out', outcome: name }).inc()
    const turnstile = this.#turnstileFor(to)
    await turnstile.enter()
    try {
      if (isListed(to.remote, this.#ports.hostOf(to.local)?.federation?.blocked ?? []))
        throw new Unreachable(`${to.remote} is banned`, { permanent: true })
      // What is told to the other side as handled must not get lost any more.
      if (to.purpose.kind === 'stanzas' && to.purpose.handled && to.purpose.resumes !== undefined)
        await this.#ports.passed()
      const dialed = await dialer.dial(to.local, to.remote)
      const peer = dialed.tls && (await this.#peerOf(dialed.tls, { ...to, tlsa: dialed.tlsa }))
      outcome('opened')
      this.#open({ ...dialed, peer }, to, listener)
    } catch (error) {
      outcome('failed')
      const isFinal = error instanceof Unreachable && error.permanent
      const message = error instanceof Error ? error.message : String(error)
      listener.ended({ message, final: isFinal ? 'remote-server-not-found' : undefined })
    } finally {
      turnstile.leave()
    }
  }

  #turnstileFor(to: { readonly purpose: Purpose; readonly hasFailed?: boolean }): Turnstile {
    if (to.purpose.kind === 'verify') return this.#questions
    return to.hasFailed === true ? this.#redials : this.#dials
  }

  #open(
    { socket, tls, address, tlsa, peer }: Dialed & { readonly peer: PeerTls | undefined },
    {
      local,
      remote,
      purpose,
    }: {
      readonly local: string
      readonly remote: string
      readonly purpose: Purpose
    },
    listener: OutgoingListener,
  ): void {
    const { services, context, dialer, dialbackKey } = this.#ports
    const { settings } = services
    const transport = tls ?? socket
    const connection: Connection = new Connection({
      transport,
      address,
      framing,
      context,
      limits: settings.server,
      handler: (made) =>
        new OutgoingStream({
          connection: made,
          local,
          remote,
          purpose,
          tls: peer,
          startTls: async () => await this.#startTls(made, socket, { local, remote, dialer, tlsa }),
          unverifiedAllowed: this.#unverifiedAllowed(local, remote),
          key: (streamId) => dialbackKey(local, remote, streamId),
          timeout: settings.s2s.timeouts.negotiation,
          limits: { maxBytes: settings.server.bytes, idleSeconds: undefined },
          isServed: () => this.#ports.isServed(local),
          intake: (by) =>
            new Intake(by, { tag: services.env.random(12), accept: this.#ports.accept }),
          listener: this.#watched(listener),
        }),
    })
    this.connections.add(connection)
    attach(transport, connection)
    ;(connection.handler as OutgoingStream).begin()
  }

  #watched(listener: OutgoingListener): OutgoingListener {
    const { metrics } = this.#ports
    return {
      ready: (stream) => {
        const mechanism = stream.authentication === 'external' ? 'external' : 'dialback'
        metrics.authentications.with({ direction: 'out', mechanism, outcome: 'success' }).inc()
        listener.ready(stream)
      },
      verdict: (isValid, verified) => listener.verdict?.(isValid, verified),
      ended: (problem) => listener.ended(problem),
      stalled: () => listener.stalled?.(),
      drained: () => listener.drained?.(),
      acknowledged: () => listener.acknowledged?.(),
    }
  }

  async #startTls(
    connection: Connection,
    socket: Socket,
    {
      local,
      remote,
      dialer,
      tlsa,
    }: {
      readonly local: string
      readonly remote: string
      readonly dialer: Dialer
      readonly tlsa: Dialed['tlsa']
    },
  ): Promise<PeerTls> {
    detach(socket)
    const tls = await dialer.secure(socket, local, remote)
    connection.transport = tls
    const peer = await this.#peerOf(tls, { local, remote, tlsa })
    attach(tls, connection)
    return peer
  }

  /** @throws {Error} where the other side did not wait for the judgement */
  async #peerOf(tls: TLSSocket, shown: Shown): Promise<PeerTls> {
    const verified = await this.#ports.judge.isProved(tls, shown)
    if (tls.destroyed) throw new Error('the connection was closed')
    return { protocol: tls.getProtocol() ?? '', verified }
  }

  #unverifiedAllowed(local: string, remote: string): boolean {
    return isListed(remote, this.#ports.hostOf(local)?.federation?.dialback ?? [])
  }
}
