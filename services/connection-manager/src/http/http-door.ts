import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { websocketFraming } from '@tactus/stream'
import { BoshDoor } from '../bosh/bosh-door.ts'
import type { BoshSessions } from '../bosh/bosh-sessions.ts'
import type { Arrival, Door } from '../door/listener.ts'
import type { Services } from '../services.ts'
import type { Connection } from '../stream/connection.ts'
import { openStream } from '../stream/open-stream.ts'
import type { TlsInfo } from '../stream/tls-info.ts'
import { AtomDoor } from './atom-door.ts'
import { type Client, clientOf } from './forwarded.ts'
import { baseOf, domainOf, hostMeta, hostMetaJson, type Link, linksOf } from './host-meta.ts'
import { LogDoor } from './log-door.ts'
import { poshOf, poshPath } from './posh-door.ts'
import { watchReaders } from './readers.ts'
import { judgeUpgrade, type Refusal, refusalResponse, upgradeResponse } from './upgrade.ts'

const framing = websocketFraming()
/** What is known of TLS that a proxy ended: that it was there. */
const proxied: TlsInfo = { protocol: 'proxy', bindings: [] }

/** What comes in over HTTP: streams on WebSocket (RFC 7395) and BOSH (XEP-0124), and what tells where they are (XEP-0156). */
export class HttpDoor implements Door {
  readonly protocols = ['http/1.1']
  readonly #services: Services
  readonly #connections: Set<Connection>
  readonly #isDraining: () => boolean
  readonly #server: Server
  readonly #bosh: BoshDoor
  readonly #atom: AtomDoor
  readonly #logs: LogDoor
  /** By socket, until it becomes a WebSocket. */
  readonly #arrivals = new Map<Duplex, Arrival>()

  constructor(
    services: Services,
    connections: Set<Connection>,
    {
      isDraining,
      sessions,
    }: { readonly isDraining: () => boolean; readonly sessions: BoshSessions },
  ) {
    this.#services = services
    this.#connections = connections
    this.#isDraining = isDraining
    this.#bosh = new BoshDoor(sessions, services.settings, isDraining)
    this.#atom = new AtomDoor(services.routers, services.env, services.settings.http)
    this.#logs = new LogDoor(services.routers, services.settings.http)
    const { timeouts, wheel } = services.settings
    // Bounds for requests that never end (V17), and below for answers that nobody reads.
    const limits = {
      headersTimeout: timeouts.tls,
      requestTimeout: 3 * timeouts.tls,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: wheel,
    }
    this.#server = createServer(limits, (request, response) => this.#answer(request, response))
    watchReaders(this.#server, limits.requestTimeout)
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    // It never listens itself, but only then would it watch over its time limits.
    this.#server.emit('listening')
  }

  speaksForOthers(address: string): boolean {
    return this.#services.proxies.http(address)
  }

  take(arrival: Arrival): void {
    const { socket } = arrival
    socket.once('close', () => this.#gone(socket))
    this.#arrivals.set(socket, arrival)
    if (this.#arrivals.size > this.#services.settings.http.sockets) socket.destroy()
    else this.#server.emit('connection', socket)
  }

  /** Whoever has no request under way goes. */
  release(): void {
    this.#server.closeIdleConnections()
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections()
    this.#server.close()
    for (const socket of this.#arrivals.keys()) socket.destroy()
  }

  #gone(socket: Duplex): void {
    const arrival = this.#arrivals.get(socket)
    if (!arrival) return
    this.#arrivals.delete(socket)
    if (arrival.isCounted) this.#services.addresses.settle(arrival.address)
  }

  #clientOf(request: IncomingMessage): Client {
    const arrival = this.#arrivals.get(request.socket)
    const peer = { address: arrival?.address ?? '', isSecure: arrival?.tls !== undefined }
    return clientOf(request.headers, peer, this.#services.proxies.http)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const arrival = this.#arrivals.get(socket)
    if (!arrival) {
      socket.destroy()
      return
    }
    const client = this.#clientOf(request)
    const judged = this.#judge(request, client)
    if ('status' in judged) {
      const response = refusalResponse(judged, STATUS_CODES[judged.status] ?? '')
      socket.end(response, () => socket.destroy())
      return
    }
    if (!arrival.isCounted && !this.#admit(client.address)) {
      socket.destroy()
      return
    }
    this.#arrivals.delete(socket)
    socket.write(upgradeResponse(judged.key))
    const connection = openStream(this.#services, this.#connections, {
      socket: socket as Socket,
      address: client.address,
      framing,
      tls: arrival.tls ?? (client.isSecure ? proxied : undefined),
    })
    if (head.length > 0) connection.receive(head)
  }

  #judge(request: IncomingMessage, { isSecure }: Client): { readonly key: string } | Refusal {
    const { http, tlsRequired } = this.#services.settings
    if (pathOf(request) !== http.websocket) return { status: 404, text: 'Not found.' }
    if (this.#isDraining()) return { status: 503, text: 'Leaving.' }
    // RFC 7395 §3.9: there is no STARTTLS here, so without TLS nobody could authenticate.
    if (tlsRequired && !isSecure) return { status: 403, text: 'TLS is required: use wss.' }
    return judgeUpgrade(request, http)
  }

  #admit(address: string): boolean {
    const { addresses, connections, metrics } = this.#services
    if (addresses.admit(address, connections.wheel.now)) return true
    metrics.connections.with({ outcome: 'refused' }).inc()
    return false
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method } = request
    response.setHeader('X-Content-Type-Options', 'nosniff')
    const path = pathOf(request)
    if (path === this.#services.settings.http.bosh) return this.#carry(request, response)
    if (path === '/.well-known/host-meta' || path === '/.well-known/host-meta.json') {
      // §3: pages of other origins ask, too. Nothing here is for some and not for others.
      response.setHeader('Access-Control-Allow-Origin', '*')
      if (method === 'OPTIONS') {
        response.setHeader('Access-Control-Allow-Methods', 'GET, HEAD, OPTIONS')
        response.writeHead(204).end()
        return
      }
    }
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD')
      say(response, 405, 'Method not allowed.')
    } else this.#page(request, response, path)
  }

  /** A request of a BOSH session, or the one that creates it. */
  #carry(request: IncomingMessage, response: ServerResponse): void {
    const { address, isSecure } = this.#clientOf(request)
    const { socket } = request
    // Bound to no connection: the next request may come over another.
    const own = this.#arrivals.get(socket)?.tls
    const tls = isSecure ? { protocol: own?.protocol ?? 'proxy', bindings: [] } : undefined
    const isGone = (): boolean => socket.destroyed || socket.readableEnded
    this.#bosh
      .answer(request, response, { address, tls, isGone }, () => this.#settle(socket))
      .catch((error: unknown) => {
        // The client broke off in the middle of a request, or it is a bug.
        if (request.complete) this.#services.log.error('bosh_crashed', { err: error })
        response.destroy()
      })
  }

  /** Somebody with an account is on this socket: it counts no more among the unauthenticated. */
  #settle(socket: Duplex): void {
    const arrival = this.#arrivals.get(socket)
    if (!arrival?.isCounted) return
    this.#arrivals.set(socket, { ...arrival, isCounted: false })
    this.#services.addresses.settle(arrival.address)
  }

  #page(request: IncomingMessage, response: ServerResponse, path: string): void {
    if (this.#atom.claims(path)) {
      void this.#atom.answer(request, response, this.#baseFor(request))
      return
    }
    if (path === poshPath) {
      void this.#tellCertificate(request, response)
      return
    }
    if (this.#logs.claims(path)) {
      void this.#logs.answer(request, response)
      return
    }
    const links = path.startsWith('/.well-known/host-meta') ? this.#links(request) : undefined
    if (links && path === '/.well-known/host-meta') {
      response.setHeader('Content-Type', 'application/xrd+xml; charset=utf-8')
      response.end(hostMeta(links))
    } else if (links && path === '/.well-known/host-meta.json') {
      response.setHeader('Content-Type', 'application/json')
      response.end(hostMetaJson(links))
    } else if (path === '/')
      say(response, 200, 'This is an XMPP server. Use an XMPP client to talk to it.')
    else if (path === this.#services.settings.http.websocket) {
      response.setHeader('Upgrade', 'websocket')
      say(response, 426, 'WebSocket is what is spoken here.')
    } else say(response, 404, 'Not found.')
  }

  async #tellCertificate(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const domain = domainOf(request.headers.host ?? '')
    const told = domain === undefined ? undefined : await poshOf(domain, this.#services)
    if (told === undefined) return say(response, 404, 'Not found.')
    response.setHeader('Content-Type', 'application/json')
    response.end(told)
  }

  /** Where this server is on the web, as whoever asks sees it. */
  #baseFor(request: IncomingMessage): string {
    const authority = request.headers.host ?? ''
    const { url } = this.#services.settings.http
    if (url !== undefined) return baseOf(url, domainOf(authority) ?? authority)
    return `${this.#clientOf(request).isSecure ? 'https' : 'http'}://${authority}`
  }

  /** The links of the host that is asked for; undefined where it is not served. */
  #links(request: IncomingMessage): readonly Link[] | undefined {
    const { hosts, settings } = this.#services
    const authority = request.headers.host ?? ''
    const domain = domainOf(authority)
    if (domain === undefined || hosts.get(domain) === undefined) return undefined
    const { isSecure } = this.#clientOf(request)
    return linksOf(domain, settings.http, { authority, isSecure })
  }
}

function pathOf({ url }: IncomingMessage): string {
  return url?.split('?', 1)[0] ?? ''
}

function say(response: ServerResponse, status: number, text: string): void {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.writeHead(status).end(`${text}\n`)
}
