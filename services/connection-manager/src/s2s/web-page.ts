import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { isIP, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls'
import { ignore } from '../door/socket-events.ts'
import { interleaved, raceTo } from './eyeballs.ts'
import { isPrivate } from './private-addresses.ts'
import type { Resolver } from './targets.ts'

/** How pages of other domains' web sites are read. */
export interface WebOptions {
  readonly resolver: Pick<Resolver, 'addresses'>
  readonly allowPrivate: boolean
  /** Milliseconds for one page, once its address is known. */
  readonly timeout: number
  /** Bytes of the largest page. */
  readonly most: number
  /** Whose certificates are believed. */
  readonly context: SecureContext
}

/** A page, or where it is said to be. */
export interface Page {
  readonly status: number
  readonly location: string | undefined
  readonly text: string
}

const mostAddresses = 8

/**
 * Reads a page by HTTPS, from whom the certificate stands for.
 *
 * SECURITY: others say what is read here, so it is no more allowed to connect inside than a stream is.
 * @throws {Error}
 */
export async function readPage(url: URL, options: WebOptions): Promise<Page> {
  const { hostname, port } = url
  const isName = isIP(hostname) === 0 && !hostname.startsWith('[')
  if (url.protocol !== 'https:' || url.username !== '' || !isName)
    throw new Error(`${url} is not for reading`)
  const found = interleaved(await options.resolver.addresses(hostname))
  const allowed = options.allowPrivate ? found : found.filter((address) => !isPrivate(address))
  const addresses = allowed.slice(0, mostAddresses)
  if (addresses.length === 0) throw new Error(`no address of ${hostname} may be connected to`)
  const { timeout } = options
  const signal = AbortSignal.timeout(timeout)
  const socket = await raceTo({ addresses, port: port === '' ? 443 : Number(port), timeout })
  try {
    const tls = await secured(socket, hostname, { context: options.context, signal })
    return await pageOf(tls, url, { most: options.most, signal })
  } finally {
    socket.destroy()
  }
}

async function secured(
  socket: Socket,
  servername: string,
  {
    context: secureContext,
    signal,
  }: { readonly context: SecureContext; readonly signal: AbortSignal },
): Promise<TLSSocket> {
  socket.on('error', ignore)
  const tls = connectTls({ socket, secureContext, servername, ALPNProtocols: ['http/1.1'] })
  tls.on('error', ignore)
  await once(tls, 'secureConnect', { signal })
  return tls
}

async function pageOf(
  tls: TLSSocket,
  url: URL,
  { most, signal }: { readonly most: number; readonly signal: AbortSignal },
): Promise<Page> {
  const asked = request({
    createConnection: () => tls,
    path: url.pathname + url.search,
    headers: { Host: url.host, Accept: 'application/json' },
    maxHeaderSize: most,
    signal,
  })
  asked.on('error', ignore).end()
  const [response] = (await once(asked, 'response', { signal })) as [IncomingMessage]
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > most) throw new Error(`${url} is too large`)
    chunks.push(chunk)
  }
  return {
    status: response.statusCode ?? 0,
    location: response.headers.location,
    text: Buffer.concat(chunks).toString('utf8'),
  }
}
