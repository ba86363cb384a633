import assert from 'node:assert/strict'
import { createHash, type X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { Realm } from './realm.ts'

const ours = 'verona.lit'
const theirs = 'mantua.lit'
const limit = { timeout: 90_000 }

interface Listed {
  readonly streams: readonly { readonly direction: string; readonly authentication: string }[]
}

/** The web site of mantua, that says what the test wants. */
class Site implements AsyncDisposable {
  readonly pages = new Map<string, string>()
  readonly asked: string[] = []
  readonly #server: Server

  constructor({ authority }: Realm, certified = theirs) {
    const pair = authority.issue(join(authority.folder, `site-${certified}`), certified)
    const [cert, key] = [readFileSync(pair.certificate), readFileSync(pair.key)]
    this.#server = createServer({ cert, key }, ({ url = '' }, response) => {
      this.asked.push(url)
      const page = this.pages.get(url)
      response.writeHead(page === undefined ? 404 : 200).end(page)
    })
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this.port
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

const path = '/.well-known/posh/xmpp-server.json'

async function certificateAt(port: number, servername: string): Promise<X509Certificate> {
  const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const certificate = socket.getPeerX509Certificate()
  socket.destroy()
  assert(certificate)
  return certificate
}

const naming = ({ raw }: X509Certificate): string =>
  JSON.stringify({
    fingerprints: [{ 'sha-256': createHash('sha256').update(raw).digest('base64') }],
    expires: 600,
  })

/** Mantua, whose certificate nobody vouches for, and verona, that asks its web site. */
async function meet(
  site: (realm: Realm) => Site,
  posh: readonly string[] = [theirs],
): Promise<{ readonly realm: Realm; readonly site: Site } & AsyncDisposable> {
  await using started = new AsyncDisposableStack()
  const realm = started.use(
    await Realm.of({ domain: theirs, names: [], federation: { dialback: [ours] } }),
  )
  const made = started.use(site(realm))
  const poshPort = await made.listen()
  realm.names.addresses.set(theirs, ['127.0.0.1'])
  await realm.found({ domain: ours, federation: { posh }, s2s: { poshPort } })
  const resources = started.move()
  return { realm, site: made, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

test(
  'RFC 7712: the web site names the certificate that nobody vouches for, in both directions',
  limit,
  async () => {
    await using scene = await meet((realm) => new Site(realm))
    const { realm, site } = scene
    const shown = await certificateAt(realm.server(theirs).port('s2sTls'), theirs)
    site.pages.set(
      path,
      JSON.stringify({ url: `https://${theirs}:${site.port}/named`, expires: 9 }),
    )
    site.pages.set('/named', naming(shown))
    const romeo = await realm.login(`romeo@${theirs}/exile`)
    const juliet = await realm.login(`juliet@${ours}/balcony`)

    romeo.say(`<message to='${juliet.jid}' type='chat'><body>there</body></message>`)
    await juliet.hears('there')
    juliet.say(`<message to='${romeo.jid}' type='chat'><body>back</body></message>`)
    await romeo.hears('back')

    const { streams } = (await realm.server(ours).command('s2s list', {})) as Listed
    const incoming = streams.find(({ direction }) => direction === 'in')
    assert.equal(incoming?.authentication, 'external')
    assert.deepEqual(site.asked, [path, '/named'], 'asked once, for both')
  },
)

interface Trial {
  /** For whom the web site has a certificate. */
  readonly certified?: string
  readonly posh?: readonly string[]
  /** What it says. */
  readonly page?: (shown: X509Certificate) => string
  readonly asked?: number
}

const trials: Readonly<Record<string, Trial>> = {
  'that names another certificate': {
    page: () => JSON.stringify({ fingerprints: [{ 'sha-256': 'AAAA' }], expires: 600 }),
    asked: 1,
  },
  'that says too much': { page: (shown) => naming(shown) + ' '.repeat(70_000), asked: 1 },
  'of somebody else': { certified: 'padua.lit' },
  'that nobody wants to ask': { posh: ['padua.lit'] },
}

for (const [what, { certified, posh, page = naming, asked = 0 }] of Object.entries(trials))
  test(`RFC 7711: a web site ${what} proves nothing`, limit, async () => {
    await using scene = await meet((realm) => new Site(realm, certified), posh)
    const { realm, site } = scene
    const shown = await certificateAt(realm.server(theirs).port('s2sTls'), theirs)
    site.pages.set(path, page(shown))
    const juliet = await realm.login(`juliet@${ours}/balcony`)

    juliet.say(`<message to='romeo@${theirs}' id='v1' type='chat'><body>x</body></message>`)

    await juliet.hears("id='v1'", "type='error'", 'remote-server-not-found', 'certificate')
    assert.equal(site.asked.length, asked)
  })

test(
  'RFC 7711: a host tells its certificate where that is wanted, and another host nothing',
  limit,
  async () => {
    const hosts = { [ours]: { federation: { tellPosh: '1h' } }, 'padua.lit': {} }
    await using realm = await Realm.of({ domain: ours, settings: { hosts } })
    const server = realm.server(ours)
    const read = async (host: string): Promise<string> => {
      const asked = request({
        host: '127.0.0.1',
        port: server.port('https'),
        path,
        headers: { Host: host },
        rejectUnauthorized: false,
      })
      asked.end()
      const [response] = await once(asked, 'response')
      let text = ''
      for await (const chunk of response) text += chunk
      return text
    }

    const told = JSON.parse(await read(ours)) as {
      readonly expires: number
      readonly fingerprints: readonly Readonly<Record<string, string>>[]
    }
    const { raw } = await certificateAt(server.port('s2sTls'), ours)
    assert.equal(told.expires, 3_600)
    assert.deepEqual(told.fingerprints, [
      {
        'sha-256': createHash('sha256').update(raw).digest('base64'),
        'sha-512': createHash('sha512').update(raw).digest('base64'),
      },
    ])
    assert.equal(await read('padua.lit'), 'Not found.\n')
  },
)
