import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Address } from '@tactus/config'
import { tlsInfoOf } from '../certificates/channel-bindings.ts'
import type { Services } from '../services.ts'
import type { TlsInfo } from '../stream/tls-info.ts'
import { readProxyHeader } from './proxy-protocol.ts'
import { ignore } from './socket-events.ts'
import { secure } from './tls-upgrade.ts'

/** Connections that wait to be accepted. */
const backlog = 4_096
/** How long nothing is accepted after the system had no file descriptor left. */
const exhaustedPause = 1_000
/** TCP asks a quiet peer after this long whether it is there. */
const keepAliveDelay = 300_000

/** Somebody who came in. */
export interface Arrival {
  readonly socket: Socket
  /** Of the client, as far as proxies below HTTP tell. */
  readonly address: string
  /** Whether `addresses` counts it among the unauthenticated; who took it must `settle` it then. */
  readonly isCounted: boolean
  /** Where TLS came first. */
  readonly tls: TlsInfo | undefined
}

/** What is behind a listener. */
export interface Door {
  /** Names of its protocol in ALPN. */
  readonly protocols: readonly string[]
  /** Whether this address is counted later, when it is known for whom it speaks. */
  speaksForOthers(address: string): boolean
  take(arrival: Arrival): void
}

/** What a listener is. */
export interface ListenerOptions {
  readonly address: Address
  /** TLS from the first byte. */
  readonly tls: boolean
  readonly door: Door
}

/** One listening address: who may come in, from where, with which TLS. */
export class Listener {
  readonly #services: Services
  readonly #options: ListenerOptions
  readonly #server: Server
  /** The one it got, so that it listens there again. */
  #port: number

  constructor(services: Services, options: ListenerOptions) {
    this.#services = services
    this.#options = options
    this.#port = options.address.port
    const settings = { allowHalfOpen: true, noDelay: true, keepAlive: true }
    this.#server = createServer(
      { ...settings, keepAliveInitialDelay: keepAliveDelay },
      (socket: Socket) => this.#accept(socket),
    )
  }

  /** @throws {Error} the error of `listen`, when the address cannot be had */
  async listen(): Promise<AddressInfo> {
    const { host } = this.#options.address
    const where = { port: this.#port, backlog, ...(host !== undefined && { host }) }
    this.#server.removeAllListeners('error')
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(where, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    this.#server.on('error', (error) => this.#failed(error))
    const address = this.#server.address() as AddressInfo
    this.#port = address.port
    return address
  }

  /** Accepts no more; what is connected stays. It may listen again. */
  close(): void {
    this.#server.close()
  }

  /**
   * No file descriptor is left (EMFILE): what comes now is turned away at once, as accepting would
   * spin, until some connections may have ended.
   */
  #failed(error: Error): void {
    this.#services.log.error('accept_failed', { err: error })
    this.#server.maxConnections = 1
    this.#services.env.clock.after(exhaustedPause, () => {
      this.#server.maxConnections = Number.POSITIVE_INFINITY
    })
  }

  #accept(socket: Socket): void {
    socket.on('error', ignore)
    const address = socket.remoteAddress
    if (address === undefined) socket.destroy()
    else if (this.#services.proxies.tcp(address)) this.#introduce(socket, address)
    else this.#admit(socket, address)
  }

  /** A proxy says first for whom it speaks. */
  #introduce(socket: Socket, proxy: string): void {
    const { connections, log, settings } = this.#services
    const pending = {
      deadline: connections.wheel.now + settings.timeouts.tls,
      wheelSlot: -1,
      expire: () => socket.destroy(),
    }
    connections.wheel.watch(pending)
    readProxyHeader(socket, (source) => {
      connections.wheel.forget(pending)
      if (source !== undefined) this.#admit(socket, source === 'itself' ? proxy : source)
      else {
        log.warn('proxy_header_missing', { address: proxy })
        socket.resetAndDestroy()
      }
    })
  }

  #admit(socket: Socket, address: string): void {
    const { addresses, connections, metrics } = this.#services
    const isCounted = !this.#options.door.speaksForOthers(address)
    if (isCounted && !addresses.admit(address, connections.wheel.now)) {
      metrics.connections.with({ outcome: 'refused' }).inc()
      // A reset costs neither side a waiting state, and a flood has no use for words.
      socket.resetAndDestroy()
      return
    }
    if (this.#options.tls) this.#handshake(socket, address, isCounted)
    else this.#options.door.take({ socket, address, isCounted, tls: undefined })
  }

  /** XEP-0368: a connection exists once TLS does. */
  #handshake(socket: Socket, address: string, isCounted: boolean): void {
    const { certificates, connections, metrics, addresses, settings } = this.#services
    const { door } = this.#options
    const tls = secure(socket, { certificates, protocols: door.protocols })
    tls.on('error', ignore)
    const pending = {
      deadline: connections.wheel.now + settings.timeouts.tls,
      wheelSlot: -1,
      expire: () => tls.destroy(),
    }
    connections.wheel.watch(pending)
    const closed = (): void => {
      connections.wheel.forget(pending)
      if (isCounted) addresses.settle(address)
      metrics.handshakes.with({ outcome: 'failed' }).inc()
    }
    tls.once('close', closed)
    tls.once('secure', () => {
      connections.wheel.forget(pending)
      tls.off('close', closed)
      metrics.handshakes.with({ outcome: 'succeeded' }).inc()
      door.take({ socket: tls, address, isCounted, tls: tlsInfoOf(tls) })
    })
  }
}
