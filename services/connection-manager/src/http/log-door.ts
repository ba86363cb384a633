import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RouterClient } from '../router-client.ts'
import type { Settings } from '../settings.ts'
import { decoded, refuse } from './answers.ts'
import {
  type DayList,
  daysPage,
  type LineList,
  linesPage,
  pagePolicy,
  type RoomList,
  roomsPage,
} from './log-pages.ts'

/** Pages that are read at once; who comes meanwhile may come again. */
const mostAtOnce = 32
/** Seconds for which a page is not asked for again. */
const fresh = 60
/** Of what a page is asked for with. */
const longestAfter = 256

/** What a page is asked for with. */
interface Wanted {
  /** Of a room, or of a service. */
  readonly address: string
  readonly day: string | undefined
  readonly after: string | undefined
  readonly before: string | undefined
}

/** Says which page a path is, below the one where logs are; undefined for what is none. */
export function pageIn(path: string, query: string): Wanted | undefined {
  const [address, day, ...rest] = path.replace(/\/$/, '').split('/').map(decoded)
  if (!address || day === '' || rest.length > 0) return undefined
  const asked = new URLSearchParams(query)
  const after = asked.get('after')?.slice(0, longestAfter) || undefined
  const before = asked.get('before') || undefined
  return { address, day, after, before }
}

/** Shows what is said in public rooms to those who have no XMPP client. A router reads it; here pages are made of it. */
export class LogDoor {
  readonly #routers: RouterClient
  readonly #settings: Settings['http']
  #reading = 0

  constructor(routers: RouterClient, settings: Settings['http']) {
    this.#routers = routers
    this.#settings = settings
  }

  /** Whether a path is below the one where logs are. */
  claims(path: string): boolean {
    const { logs } = this.#settings
    return logs !== undefined && path.startsWith(`${logs}/`)
  }

  /** Answers a GET or HEAD for a path that it claims. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { logs = '' } = this.#settings
    const [path = '', query = ''] = request.url?.split('?', 2) ?? []
    const wanted = pageIn(path.slice(logs.length + 1), query)
    if (!wanted) return refuse(response, 404, 'Not found.')
    if (this.#reading >= mostAtOnce) return refuse(response, 503, 'Busy.')
    this.#reading += 1
    try {
      const page = await this.#page(wanted)
      if (page === undefined) refuse(response, 404, 'Not found.')
      else give(request, response, page)
    } catch {
      refuse(response, 503, 'Nobody answers.')
    } finally {
      this.#reading -= 1
    }
  }

  async #page(wanted: Wanted): Promise<string | undefined> {
    const { logs = '', logLines: max } = this.#settings
    const { address, day, after, before } = wanted
    const place = { logs, address }
    if (!address.includes('@')) {
      if (day !== undefined) return undefined
      const list = await this.#ask<RoomList>('rooms', { service: address, after, max })
      return list && roomsPage(place, list)
    }
    if (day === undefined) {
      const list = await this.#ask<DayList>('days', { room: address, before })
      return list && daysPage(place, list)
    }
    const list = await this.#ask<LineList>('lines', { room: address, day, after, max })
    return list && linesPage(place, day, list)
  }

  /** What is refused are addresses and days that nothing can have; or routers keep no logs. */
  async #ask<T>(
    what: 'rooms' | 'days' | 'lines',
    asked: Readonly<Record<string, unknown>>,
  ): Promise<T | undefined> {
    const input = Object.fromEntries(
      Object.entries(asked).filter(([, value]) => value !== undefined),
    )
    const answer = await this.#routers.ask('command.read', { name: `room-log ${what}`, input })
    return answer.ok ? ((answer.output as T | null) ?? undefined) : undefined
  }
}

function give({ headers, method }: IncomingMessage, response: ServerResponse, page: string): void {
  const tag = `"${createHash('sha256').update(page).digest('base64url').slice(0, 22)}"`
  response.setHeader('ETag', tag)
  response.setHeader('Cache-Control', `public, max-age=${fresh}`)
  response.setHeader('Content-Security-Policy', pagePolicy)
  response.setHeader('Referrer-Policy', 'no-referrer')
  // RFC 9110 §13.1.2
  if (headers['if-none-match']?.includes(tag)) {
    response.writeHead(304).end()
    return
  }
  response.setHeader('Content-Type', 'text/html; charset=utf-8')
  response.setHeader('Content-Length', Buffer.byteLength(page))
  response.writeHead(200).end(method === 'HEAD' ? undefined : page)
}
