import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Env } from '@tactus/env'
import type { RouterClient } from '../router-client.ts'
import type { Settings } from '../settings.ts'
import { decoded, refuse } from './answers.ts'

/** Feeds that are read at once; who comes meanwhile may come again. */
const mostAtOnce = 32
/** Seconds for which a feed is not asked for again. */
const fresh = 60

/** What a feed is asked for with. */
interface Wanted {
  readonly address: string
  readonly node: string
  readonly after: string | undefined
}

/** What a router answers. */
interface Feed {
  readonly version: string | null
  readonly modified: number
  readonly document: string | null
}

/** Says whose feed a path is, below the one where feeds are; undefined for what is none. */
export function feedIn(path: string, query: string): Wanted | undefined {
  const [address, node, ...rest] = path.split('/').map(decoded)
  if (!address || !node || rest.length > 0) return undefined
  const after = new URLSearchParams(query).get('after') ?? undefined
  return { address, node, after }
}

/**
 * Shows nodes that everybody may read to those who have no XMPP client: as Atom feeds (RFC 4287).
 *
 * A router reads them; here they are given out.
 */
export class AtomDoor {
  readonly #routers: RouterClient
  readonly #env: Env
  readonly #settings: Settings['http']
  #reading = 0

  constructor(routers: RouterClient, env: Env, settings: Settings['http']) {
    this.#routers = routers
    this.#env = env
    this.#settings = settings
  }

  /** Whether a path is below the one where feeds are. */
  claims(path: string): boolean {
    const { atom } = this.#settings
    return atom !== undefined && path.startsWith(`${atom}/`)
  }

  /** Answers a GET or HEAD for a path that it claims; `base` is where this server is on the web. */
  async answer(request: IncomingMessage, response: ServerResponse, base: string): Promise<void> {
    const { atom = '' } = this.#settings
    const [path = '', query = ''] = request.url?.split('?', 2) ?? []
    const wanted = feedIn(path.slice(atom.length + 1), query)
    if (!wanted) return refuse(response, 404, 'Not found.')
    if (this.#reading >= mostAtOnce) return refuse(response, 503, 'Busy.')
    this.#reading += 1
    try {
      const feed = await this.#read(wanted, request, `${base}${path}`)
      if (feed) give(response, request, feed)
      else refuse(response, 404, 'Not found.')
    } catch {
      refuse(response, 503, 'Nobody answers.')
    } finally {
      this.#reading -= 1
    }
  }

  async #read(
    { address, node, after }: Wanted,
    request: IncomingMessage,
    url: string,
  ): Promise<Feed | undefined> {
    const known = tagIn(request)
    const asked = {
      ...{ address, node, url, max: this.#settings.atomEntries, now: this.#env.clock.now() },
      ...(after !== undefined && { after }),
      ...(known !== undefined && { known }),
    }
    const answer = await this.#routers.ask('command.read', { name: 'pubsub feed', input: asked })
    // What is refused are addresses and names that nothing can have; or routers keep no nodes.
    if (!answer.ok) return undefined
    const feed = answer.output as Feed
    return feed.version === null ? undefined : feed
  }
}

/** The version that whoever asks has (RFC 9110 §13.1.2). */
function tagIn({ headers }: IncomingMessage): string | undefined {
  const tag = /"([\w-]{1,64})"/.exec(headers['if-none-match'] ?? '')
  return tag?.[1]
}

function give(
  response: ServerResponse,
  { headers, method }: IncomingMessage,
  { version, modified, document }: Feed,
): void {
  response.setHeader('ETag', `"${version}"`)
  // To the second: a change within it is seen by the tag.
  response.setHeader('Last-Modified', new Date(modified).toUTCString())
  response.setHeader('Cache-Control', `public, max-age=${fresh}`)
  response.setHeader('Access-Control-Allow-Origin', '*')
  const since = Date.parse(headers['if-modified-since'] ?? '')
  const isOld =
    headers['if-none-match'] === undefined && since >= Math.floor(modified / 1_000) * 1_000
  if (document === null || isOld) {
    response.writeHead(304).end()
    return
  }
  response.setHeader('Content-Type', 'application/atom+xml; charset=utf-8')
  // SECURITY: what people write is no page of ours, whatever scripts it holds.
  response.setHeader('Content-Security-Policy', "default-src 'none'; sandbox")
  response.setHeader('Content-Length', Buffer.byteLength(document))
  response.writeHead(200).end(method === 'HEAD' ? undefined : document)
}
