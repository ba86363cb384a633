import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type HostSummary, isListed, type RemoteStream } from '@tactus/bus'
import { NS_SERVER } from '@tactus/stanza'
import { tcpFraming } from '@tactus/stream'
import { attach, detach } from '../door/socket-events.ts'
import { errorInputs } from '../passage.ts'
import type { Services } from '../services.ts'
import { Connection, type ConnectionContext } from '../stream/connection.ts'
import type { CertificateJudge, Shown } from './certificate-judge.ts'
import { type Dialed, type Dialer, Unreachable } from './dialer.ts'
import type { Verdict } from './incoming.ts'
import type { Mark } from './ledger.ts'
import type { RemoteMetrics } from './metrics.ts'
import {
  type OutgoingListener,
  OutgoingStream,
  type PeerTls,
  type Purpose,
} from './outgoing-stream.ts'
import { type Returned, Route } from './route.ts'
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
  dialbackKey(local: string, remote: string, streamId: string): string
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
    return [...this.#routes.values()].map(({ local, remote, state, stream, queued, problem }) => ({
      direction: 'out',
      local,
      remote,
      state,
      authentication: stream?.authentication ?? '',
      tls: stream?.tls?.protocol ?? 'none',
      queued,
      address: stream?.connection.address ?? '',
      problem,
    }))
  }

  #route(local: string, remote: string, shard: Shard): Route {
    const name = `${local} ${remote}`
    const known = this.#routes.get(name)
    if (known) return known
    const { services, isSure } = this.#ports
    const { queue, timeouts } = services.settings.s2s
    const route = new Route({ local, remote }, shard, {
      env: services.env,
      limits: {
        stanzas: queue.stanzas,
        bytes: queue.bytes,
        delivery: timeouts.delivery,
        idle: timeouts.idle,
        acknowledgement: services.settings.ackTimeout,
      },
      isSure,
      dial: ({ hasFailed, resumes }, listener) => {
        const purpose = { kind: 'stanzas', resumes } as const
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
      if (route.queued === 0 && !route.stream) this.#routes.delete(name)
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
