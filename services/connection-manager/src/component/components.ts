import { type ComponentState, type InstanceInfo, mayFederate } from '@tactus/bus'
import { componentOfStream, componentShardStream, componentShards } from '@tactus/cluster'
import { type Cancel, sleep } from '@tactus/env'
import { domainpart, type Jid } from '@tactus/jid'
import { NS_COMPONENT, StanzaError, StreamError } from '@tactus/stanza'
import { tcpFraming } from '@tactus/stream'
import type { Metrics } from '@tactus/telemetry'
import type { XmlElement } from '@tactus/xml'
import type { Arrival, Door } from '../door/listener.ts'
import { attach } from '../door/socket-events.ts'
import { errorInputs } from '../passage.ts'
import type { Federation } from '../s2s/federation.ts'
import { Leases, rendezvous } from '../s2s/leases.ts'
import type { Item, Shard } from '../s2s/shard.ts'
import type { Services } from '../services.ts'
import { Connection, type ConnectionContext } from '../stream/connection.ts'
import { Backlog, type Refusal, type Waiting } from './backlog.ts'
import { type ComponentPorts, ComponentStream } from './component-stream.ts'
import { greetingOf } from './greeting.ts'
import { type ComponentMetrics, declareComponentMetrics } from './metrics.ts'

/** What serving components needs. */
export interface ComponentsOptions {
  readonly services: Services
  readonly metrics: Metrics
  /** Commits what this instance has to, and puts on its way what comes from outside. */
  readonly federation: Pick<Federation, 'ledger' | 'receive'>
  /** Tells the other instances which components have connections here. */
  announce(domains: string): Promise<void>
}

const framing = tcpFraming(NS_COMPONENT)
const tickEvery = 100
const keepAlive = 60_000
/** Milliseconds that a drain waits for what is being written. */
const leaveWithin = 3_000

/**
 * External components (XEP-0114) at this connection manager: their connections, and the shards of what waits for them.
 *
 * A shard is held by an instance that has a connection of its component, so that several connections share the load and
 * one that is lost costs nothing but a moment; while there is none, by any, which keeps what comes or sends it back.
 */
export class Components implements Door, AsyncDisposable {
  readonly protocols: readonly string[] = []
  readonly #options: ComponentsOptions
  readonly #metrics: ComponentMetrics
  readonly #context: ConnectionContext
  readonly #leases: Leases
  readonly #connections = new Set<Connection>()
  /** Connections that proved their domain, by it, in the order in which they came. */
  readonly #attached = new Map<string, ComponentStream[]>()
  readonly #backlogs = new Map<string, Backlog>()
  readonly #waiting = new Map<string, Waiting>()
  /** Shards that anybody held since this instance began. */
  readonly #seen = new Set<string>()
  #cancel: Cancel = () => {}

  constructor(options: ComponentsOptions) {
    this.#options = options
    const { bus, env, instance, settings, log, hosts } = options.services
    this.#metrics = declareComponentMetrics(options.metrics)
    this.#context = this.#makeContext()
    this.#leases = new Leases({
      bus,
      env,
      instance,
      ttl: settings.ttl,
      ledger: options.federation.ledger,
      streams: (claims) => this.#streams(hosts.components(), claims),
      preferred,
      item: (item) => this.#backlog(item.shard).add(item),
      leave: (shard) => {
        this.#backlogs.get(shard.stream)?.leave()
        return true
      },
      failed: (error) => log.warn('component_shards_unread', { err: error }),
    })
  }

  async start(): Promise<void> {
    await this.#leases.start()
    this.#arm()
  }

  /** Gives its shards to others behind what is being written, and closes its connections. */
  async drain(within: number = leaveWithin): Promise<void> {
    const { clock } = this.#options.services.env
    const deadline = clock.monotonic() + within
    if (within > 0) await this.#leases.leaving(true)
    while (this.#leases.held.size > 0 && clock.monotonic() < deadline) {
      await sleep(clock, tickEvery)
      await this.#leases.leaving(true)
    }
    for (const connection of this.#connections)
      connection.fail(new StreamError(within > 0 ? 'system-shutdown' : 'reset'))
  }

  async undrain(): Promise<void> {
    await this.#leases.leaving(false)
  }

  /** Connections, and what waits for them, for people. */
  list(): readonly ComponentState[] {
    const queued = Map.groupBy(
      this.#backlogs.values(),
      ({ shard }) => componentOfStream(shard.stream) ?? '',
    )
    const domains = new Set([...this.#attached.keys(), ...queued.keys()])
    return Array.from(domains, (domain) => ({
      domain,
      connections: (this.#attached.get(domain) ?? []).map(({ connection }) => connection.address),
      queued: (queued.get(domain) ?? []).reduce((sum, backlog) => sum + backlog.queued, 0),
    }))
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
    this.#metrics.connections.with({ outcome: 'opened' }).inc()
    const connection: Connection = new Connection({
      transport: socket,
      address,
      framing,
      context: this.#context,
      limits: settings.preAuth,
      handler: (made) => new ComponentStream(made, this.#ports(settle)),
    })
    this.#connections.add(connection)
    attach(socket, connection)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel()
    this.#leases.stop()
    for (const connection of this.#connections) connection.transport.destroy()
  }

  /**
   * The shards of all components; also of those that were removed, whoever held them, as what still waits for one has to
   * go back.
   */
  #streams(
    components: readonly { readonly domain: string }[],
    claims: ReadonlyMap<string, string>,
  ): ReadonlySet<string> {
    for (const stream of claims.keys())
      if (componentOfStream(stream) !== undefined) this.#seen.add(stream)
    const known = components.flatMap(({ domain }) =>
      Array.from({ length: componentShards }, (_, shard) => componentShardStream(domain, shard)),
    )
    return new Set([...known, ...this.#seen])
  }

  #arm(): void {
    this.#cancel = this.#options.services.env.clock.after(tickEvery, () => {
      this.#arm()
      this.#tick()
    })
  }

  #tick(): void {
    let queued = 0
    for (const [stream, backlog] of this.#backlogs) {
      if (this.#leases.held.get(stream) === backlog.shard) {
        backlog.tick()
        queued += backlog.queued
      } else {
        // It is another's by now.
        backlog.drop()
        this.#backlogs.delete(stream)
      }
    }
    this.#dismiss()
    this.#metrics.queued.set(queued)
    this.#metrics.shards.set(this.#leases.held.size)
  }

  /** Those whose domain was taken from them. */
  #dismiss(): void {
    const { hosts } = this.#options.services
    for (const [domain, streams] of this.#attached)
      if (hosts.isKnown && !hosts.component(domain))
        for (const { connection } of streams) connection.fail(new StreamError('host-gone'))
  }

  #backlog(shard: Shard): Backlog {
    const { stream } = shard
    const known = this.#backlogs.get(stream)
    if (known?.shard === shard) return known
    known?.drop()
    const domain = componentOfStream(stream) ?? ''
    const { env, settings } = this.#options.services
    const waiting = this.#waiting.get(domain) ?? { stanzas: 0, bytes: 0 }
    this.#waiting.set(domain, waiting)
    const backlog = new Backlog(shard, {
      env,
      limits: settings.component,
      waiting,
      patience: () => this.#patience(domain),
      stream: () => this.#streamFor(stream, domain),
      isSure: () => this.#leases.isSure,
      written: (item) => {
        this.#metrics.stanzas.with({ direction: 'out' }).inc(item.frame.recipients.length)
        item.shard.settle(item)
      },
      bounced: (item, condition, text) => this.#bounced(item, condition, text),
    })
    this.#backlogs.set(stream, backlog)
    return backlog
  }

  /** While it has a connection, that may at least be slow. */
  #patience(domain: string): number | undefined {
    const { hosts, settings } = this.#options.services
    const component = hosts.component(domain)
    if (!component) return hosts.isKnown ? undefined : settings.component.stalled
    const isHere = (this.#attached.get(domain)?.length ?? 0) > 0
    return isHere ? Math.max(component.wait, settings.component.stalled) : component.wait
  }

  /** The shards that are held here are dealt out to the connections that are here. */
  #streamFor(stream: string, domain: string): ComponentStream | undefined {
    const streams = this.#attached.get(domain)
    if (!streams || streams.length === 0) return undefined
    const held = Array.from({ length: componentShards }, (_, shard) =>
      componentShardStream(domain, shard),
    ).filter((name) => this.#leases.held.has(name))
    return streams[held.indexOf(stream) % streams.length]
  }

  #bounced(item: Item, condition: Refusal, text: string): void {
    this.#metrics.bounced.with({ condition }).inc(item.frame.recipients.length)
    const inputs = errorInputs(this.#options.services, item.frame, { condition, text })
    item.shard.settle(item, { inputs })
  }

  #ports(settle: () => void): ComponentPorts {
    const { services, federation } = this.#options
    const { hosts, settings, env, routers } = services
    return {
      isKnown: async (domain) => (await hosts.findComponent(domain)) !== undefined,
      verify: async (domain, streamId, digest) => {
        const { valid } = await routers.ask('component.verify', { domain, streamId, digest })
        return valid
      },
      attached: (stream) => this.#attach(stream, settle),
      detached: (stream) => this.#detach(stream),
      greeting: (domain) => this.#greeting(domain),
      decided: (outcome) => this.#metrics.handshakes.with({ outcome }).inc(),
      accept: (stanza, way, done) => {
        this.#mayGo(way.from, way.to)
        this.#metrics.stanzas.with({ direction: 'in' }).inc()
        federation.receive({ stanza, ...way }, { done })
      },
      random: (length) => env.random(length),
      timeouts: { ...settings.component, keepAlive },
    }
  }

  #greeting(domain: string): readonly XmlElement[] {
    const { hosts, env } = this.#options.services
    const from = hosts.hostOf(domain)?.name ?? ''
    const addresses = () => ({
      from,
      to: domain,
      id: Buffer.from(env.random(9)).toString('base64url'),
    })
    return greetingOf(hosts.component(domain), addresses)
  }

  /** To another server only where the component's host speaks to that one. @throws {StanzaError} */
  #mayGo(from: Jid, to: Jid): void {
    const { hosts } = this.#options.services
    const domain = domainpart(to)
    if (hosts.domainStatus(domain) === 'served') return
    const policy = hosts.hostOf(domainpart(from))?.federation
    if (!policy || policy.mode === 'off')
      throw new StanzaError('remote-server-not-found', `${domain} cannot be reached from here`)
    if (!mayFederate(policy, domain))
      throw new StanzaError('not-allowed', `${domain} is not spoken to from here`)
  }

  /** @throws {StreamError} `conflict` */
  #attach(stream: ComponentStream, settle: () => void): void {
    const { settings, log } = this.#options.services
    const domain = stream.domain ?? ''
    const streams = this.#attached.get(domain) ?? []
    if (streams.length >= settings.component.connections) {
      this.#metrics.handshakes.with({ outcome: 'conflict' }).inc()
      throw new StreamError('conflict', `There are ${streams.length} of you here already.`)
    }
    settle()
    stream.connection.setLimits(settings.server)
    this.#attached.set(domain, [...streams, stream])
    log.info('component_attached', { component: domain, address: stream.connection.address })
    this.#changed()
  }

  #detach(stream: ComponentStream): void {
    const domain = stream.domain ?? ''
    const left = (this.#attached.get(domain) ?? []).filter((one) => one !== stream)
    if (left.length > 0) this.#attached.set(domain, left)
    else this.#attached.delete(domain)
    if (!stream.isAttached) return
    this.#options.services.log.info('component_detached', { component: domain })
    for (const backlog of this.#backlogs.values()) backlog.lost(stream)
    this.#changed()
  }

  /** The others must know who can write to whom before a shard changes hands. */
  #changed(): void {
    const { log } = this.#options.services
    const streams = [...this.#attached.values()].flat()
    this.#metrics.streams.set(streams.length)
    this.#options
      .announce([...this.#attached.keys()].join(' '))
      .then(() => this.#leases.look())
      .catch((error) => log.warn('components_unannounced', { err: error }))
  }

  #makeContext(): ConnectionContext {
    const { connections, settings, log } = this.#options.services
    const bytesIn = this.#metrics.bytes.with({ direction: 'in' })
    const bytesOut = this.#metrics.bytes.with({ direction: 'out' })
    return {
      ...connections,
      rate: settings.component.rate,
      hooks: {
        received: (bytes) => bytesIn.inc(bytes),
        sent: (bytes) => bytesOut.inc(bytes),
        failed: (connection, { condition }) => {
          this.#metrics.streamErrors.with({ condition }).inc()
          log.info('component_stream_failed', { address: connection.address, condition })
          if (condition === 'not-authorized') this.#suspicious(connection)
        },
        crashed: ({ address }, error) =>
          log.error('component_stream_crashed', { address, err: error }),
        closed: (connection) => this.#connections.delete(connection),
      },
    }
  }

  /** Whoever guesses secrets is refused at the door after a while, as with passwords. */
  #suspicious({ address }: Connection): void {
    const { addresses, connections } = this.#options.services
    addresses.failed(address, connections.wheel.now)
  }
}

/** Evenly among those that can write to the component; else it stays where it is. */
function preferred(
  stream: string,
  staying: readonly InstanceInfo[],
  holder: string | undefined,
): string | undefined {
  const domain = componentOfStream(stream) ?? ''
  const able = staying
    .filter(({ info }) => info.components?.split(' ').includes(domain))
    .map(({ id }) => id)
    .sort()
  const shard = Number(stream.slice(stream.lastIndexOf(':') + 1))
  if (able.length > 0) return able[shard % able.length]
  return staying.some(({ id }) => id === holder) ? holder : rendezvous(stream, staying)
}
