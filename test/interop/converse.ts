import { createReadStream, existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import type { BrowserContext, Browser as Chromium, Page } from 'playwright-core'

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
  auto_join_rooms: [{ jid: login.get('room'), nick: login.get('jid').split('@')[0] }],
  allow_non_roster_messaging: true,
})
</script></body></html>`

const patience = 120_000
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
    await page.goto(url)
    return new RoomPage(context, page)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chromium.close()
  }
}

/** Converse.js in a room. */
export class RoomPage implements AsyncDisposable {
  readonly #context: BrowserContext
  readonly #page: Page

  constructor(context: BrowserContext, page: Page) {
    this.#context = context
    this.#page = page
  }

  /** What is shown as said, once there are so many. */
  async messages(count: number): Promise<readonly string[]> {
    const texts = this.#page.locator('converse-muc .chat-msg__text')
    await this.#page.locator('converse-muc textarea.chat-textarea').waitFor()
    if (count > 0) await texts.nth(count - 1).waitFor()
    return (await texts.allTextContents()).map((text) => text.trim())
  }

  async say(text: string): Promise<void> {
    const input = this.#page.locator('converse-muc textarea.chat-textarea')
    await input.fill(text)
    await input.press('Enter')
  }

  async reload(): Promise<void> {
    await this.#page.reload()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close()
  }
}
