import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/** What another server of a test is told. */
export interface RemoteOptions {
  readonly domain: string
  /** A loopback address of its own. */
  readonly address: string
  /** The name server that it asks. */
  readonly resolver: string
  readonly certificate: string
  readonly key: string
  /** Whose certificates it believes. */
  readonly authority: string
  /** It takes dialback for proof where there is no such certificate. */
  readonly dialback: boolean
}

/** A port of an address where nobody listens. */
export async function freePort(address: string): Promise<number> {
  const server = createServer().listen(0, address)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
