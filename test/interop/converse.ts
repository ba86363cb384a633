import { createReadStream, existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import type { BrowserContext, Browser as Chromium, Page, Request } from 'playwright-core'

/**
 * Its folder `dist`, from the package converse.js, which is too large to be installed for everybody; undefined where nobody
 * says where one is, and then the test is skipped.
 */
export const converseDist: string | undefined = process.env.CONVERSE_DIST

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

/** Serves a page with Converse.js, which goes where the page's query says. */
export class ConverseSite implements AsyncDisposable {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(dist: string): Promise<ConverseSite> {
    const server = createServer(({ url = '/' }, response) => {
      const path = url.split('?', 1)[0] ?? '/'
      if (path === '/') {
        response.setHeader('Content-Type', 'text/html; charset=utf-8')
        response.end(page)
        return
      }
      const file = join(dist, path)
      if (!path.includes('..') && existsSync(file)) {
        response.setHeader('Content-Type', types[extname(file)] ?? 'application/octet-stream')
        createReadStream(file).pipe(response)
      } else response.writeHead(404).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new ConverseSite(server)
  }

  /** Where the page is that logs in so. */
  url(login: {
    /** `ws://…` or `http://…`. */
    readonly service: string
    readonly jid: string
    readonly password: string
    /** A room to be in. */
    readonly room: string
  }): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}/?${new URLSearchParams(login)}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Converse.js</title>
<link rel="stylesheet" href="/converse.min.css">
</head><body><script type="module">
import module from '/converse.min.js'
const converse = module ?? window.converse
const login = new URLSearchParams(location.search)
const service = login.get('service')
converse.initialize({
  ...(service.startsWith('ws') ? { websocket_url: service } : { bosh_service_url: service }),
  jid: login.get('jid'),
  password: login.get('password'),
  authentication: 'login',
  auto_login: true,
  assets_path: '/',
  discover_connection_methods: false,
  i18n: 'en',
  view_mode: 'fullscreen',
  clear_cache_on_logout: false,
  // Elsewhere it stores what it got later than it shows it, and a page that is loaded in between has lost it.
  persistent_store: 'sessionStorage',
  auto_join_rooms: [{ jid: login.get('room'), nick: login.get('jid').split('@')[0] }],
  allow_non_roster_messaging: true,
})
</script></body></html>`

/** Twice this is less than a test file may take, so that what failed can be told. */
const patience = 100_000
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
]

/** Debian's Chromium without a window. */
export class Browser implements AsyncDisposable {
  readonly #chromium: Chromium

  private constructor(chromium: Chromium) {
    this.#chromium = chromium
  }

  static async start(): Promise<Browser> {
    const { chromium } = await import('playwright-core')
    const executablePath = '/usr/bin/chromium'
    return new Browser(await chromium.launch({ executablePath, args: flags, timeout: patience }))
  }

  /** A page that knows nothing of any other, with its client in its room. */
  async open(url: string): Promise<RoomPage> {
    const context = await this.#chromium.newContext()
    context.setDefaultTimeout(patience)
    const page = await context.newPage()
    const trace = new Trace(page)
    await page.goto(url)
    return new RoomPage(context, page, trace)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chromium.close()
  }
}

/** What a page sends and receives, and what goes wrong in it: the last of it is told when the page is not as it should be. */
class Trace {
  readonly #lines: string[] = []
  /** How many resources were bound: one that is resumed is not bound again. */
  binds = 0

  constructor(page: Page) {
    page.on('pageerror', ({ stack, message }) => this.#add('!', stack ?? message))
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => this.#sent(String(payload)))
      socket.on('framereceived', ({ payload }) => this.#add('<', String(payload)))
      socket.on('close', () => this.#add('!', 'closed'))
    })
    page.on('request', (request) => {
      if (request.method() === 'POST') this.#sent(request.postData() ?? '')
    })
    page.on('requestfinished', (request) => {
      if (request.method() === 'POST') void this.#answered(request)
    })
  }

  async #answered(request: Request): Promise<void> {
    // Of a page that is closed there is no more to be had.
    const answer = request.response().then((response) => response?.text())
    this.#add('<', (await answer.catch(String)) ?? '')
  }

  #sent(text: string): void {
    if (text.includes('<bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"')) this.binds++
    this.#add('>', text)
  }

  #add(direction: string, text: string): void {
    this.#lines.push(`${direction} ${text.slice(0, 1_000)}`)
    if (this.#lines.length > 60) this.#lines.shift()
  }

  toString(): string {
    return this.#lines.join('\n')
  }
}

/**
 * Its form is there as soon as its session is in the room, but what is typed into it is lost in an exception until it has what completes
 * nicknames, because it waits with that for the room's model (COMPAT Converse.js 14).
 */
const formWorks =
  "document.querySelector('converse-muc converse-muc-message-form')?.auto_complete !== undefined"

/** Converse.js in a room. */
export class RoomPage implements AsyncDisposable {
  readonly #context: BrowserContext
  readonly #page: Page
  readonly #trace: Trace

  constructor(context: BrowserContext, page: Page, trace: Trace) {
    this.#context = context
    this.#page = page
    this.#trace = trace
  }

  /** How often the server was asked for a new session. */
  get binds(): number {
    return this.#trace.binds
  }

  /** What the room has said, once there is so much; what is typed is shown at once, and of no account until it came back. */
  async messages(count: number): Promise<readonly string[]> {
    const texts = this.#page.locator('converse-muc .chat-msg__body--received .chat-msg__text')
    if (count > 0) await this.#orTrace(texts.nth(count - 1).waitFor())
    return (await texts.allTextContents()).map((text) => text.trim())
  }

  async say(text: string): Promise<void> {
    await this.#orTrace(this.#page.waitForFunction(formWorks))
    const input = this.#page.locator('converse-muc textarea.chat-textarea')
    await input.fill(text)
    await input.press('Enter')
  }

  async reload(): Promise<void> {
    await this.#page.reload()
  }

  async #orTrace<Result>(waited: Promise<Result>): Promise<Result> {
    try {
      return await waited
    } catch (cause) {
      throw new Error(`What the page did last:\n${this.#trace}`, { cause })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close()
  }
}
