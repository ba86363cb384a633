import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Health, Probe } from './health.ts'
import type { Metrics } from './metrics.ts'

/** Where the operations server listens. */
export interface ListenAddress {
  readonly host: string | undefined
  readonly port: number
}

/** A running operations server. */
export interface OperationsServer extends AsyncDisposable {
  /** Where it listens, with the ports that the system chose. */
  readonly addresses: readonly AddressInfo[]
}

interface Parts {
  readonly health: Health
  readonly metrics: Metrics
}

const probes: ReadonlyMap<string, Probe> = new Map([
  ['/healthz/startup', 'startup'],
  ['/healthz/live', 'live'],
  ['/healthz/ready', 'ready'],
])

/** Bounds for whoever finds this port; a scraper needs one connection. */
const limits = { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000 }
const maxConnections = 64

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
  response.end(`${JSON.stringify(body)}\n`)
}

async function answer(
  { method, url = '/' }: IncomingMessage,
  response: ServerResponse,
  { health, metrics }: Parts,
): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD')
    return json(response, 405, { error: 'method not allowed' })
  }
  const path = url.split('?', 1)[0] ?? '/'
  const probe = probes.get(path)
  if (probe) {
    const { ok, problems } = await health.probe(probe)
    return json(response, ok ? 200 : 503, { status: ok ? 'ok' : 'failed', problems })
  }
  if (path !== '/metrics') return json(response, 404, { error: 'not found' })
  const text = await metrics.expose()
  response.writeHead(200, { 'Content-Type': metrics.contentType })
  response.end(text)
}

/**
 * Serves `/healthz/{startup,live,ready}` and `/metrics` to orchestrators and scrapers.
 *
 * It has no authentication: keep it on loopback or on an internal network.
 *
 * @throws {Error} the error of `listen`, when an address cannot be had
 */
export async function serveOperations(
  addresses: readonly ListenAddress[],
  parts: Parts,
): Promise<OperationsServer> {
  await using started = new AsyncDisposableStack()
  const bound: AddressInfo[] = []
  for (const { host, port } of addresses) {
    const server = createServer(limits, (request, response) => {
      answer(request, response, parts).catch((error: unknown) =>
        json(response, 500, { error: error instanceof Error ? error.message : String(error) }),
      )
    })
    server.maxConnections = maxConnections
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => resolve(server.off('error', reject) && undefined))
    })
    started.defer(() => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    })
    bound.push(server.address() as AddressInfo)
  }
  const resources = started.move()
  return { addresses: bound, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
