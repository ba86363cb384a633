import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { header, Peer } from './peer.ts'
import { Realm } from './realm.ts'

const ours = 'verona.lit'
const limit = { timeout: 120_000 }

/** What it costs that others are bad, at most: everything is given up after this. */
const timeouts = { dns: '2s', connect: '2s', negotiation: '2s', delivery: '6s' }

/** Servers that a test makes, all of them gone afterwards. */
class Others implements Disposable {
  readonly #realm: Realm
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()

  constructor(realm: Realm) {
    this.#realm = realm
  }

  /** A server of a domain that does what it likes with whoever connects. */
  async found(domain: string, take: (peer: Peer, socket: Socket) => unknown): Promise<void> {
    await this.#listen(domain, createServer(), 'connection', '_xmpp-server', (socket) =>
      take(new Peer(socket), socket),
    )
  }

  /** One with TLS from the first byte. */
  async foundDirect(
    domain: string,
    pair: { readonly certificate: string; readonly key: string },
    take: (peer: Peer, socket: Socket) => unknown,
  ): Promise<void> {
    const [cert, key] = [readFileSync(pair.certificate), readFileSync(pair.key)]
    const server = createTlsServer({ cert, key, ALPNProtocols: ['xmpp-server'] })
    await this.#listen(domain, server, 'secureConnection', '_xmpps-server', (socket) =>
      take(new Peer(socket), socket),
    )
  }

  async #listen(
    domain: string,
    server: Server,
    event: string,
    service: string,
    take: (socket: Socket) => unknown,
  ): Promise<void> {
    server.on(event, (socket: Socket) => {
      this.#sockets.add(socket)
      // What becomes of the connection is the other side's to say.
      void Promise.resolve(take(socket)).catch(() => {})
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.#servers.push(server)
    const { port } = server.address() as AddressInfo
    this.#realm.names.locate(domain, port, '127.0.0.1', service)
  }

  [Symbol.dispose](): void {
    for (const server of this.#servers) server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}

const answer = (domain: string, features: string): string =>
  `${header(ours, domain).replace("version='1.0' xmlns", "id='x' version='1.0' xmlns")}<stream:features>${features}</stream:features>`

/** Believes every key, and tells of each message. */
const believing =
  (domain: string, heard: (text: string) => void) =>
  async (peer: Peer): Promise<void> => {
    await peer.hears('<stream:stream')
    peer.say(answer(domain, ''))
    await peer.hears('</db:result>')
    peer.say(`<db:result from='${domain}' to='${ours}' type='valid'/>`)
    for (;;) heard(await peer.hears('</message>'))
  }

const startTls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
const proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

test(
  'hostile and slow servers: each gets its own sender the right error, and nobody else waits',
  limit,
  async () => {
    const federation = {
      dialback: ['silent.lit', 'garbage.lit', 'drip.lit', 'eager.lit', 'liar.lit', 'good.lit'],
    }
    await using realm = await Realm.of({ domain: ours, federation, s2s: { timeouts } })
    using others = new Others(realm)
    const juliet = await realm.login(`juliet@${ours}/balcony`)
    const told: string[] = []
    const { promise: first, resolve: hear } = Promise.withResolvers<void>()
    const errors: Promise<string>[] = []

    await others.found('silent.lit', () => {})
    await others.found('garbage.lit', async (peer, socket) => {
      await peer.hears('<stream:stream')
      peer.say(answer('garbage.lit', startTls))
      await peer.hears('<starttls')
      peer.say(proceed)
      socket.once('data', () => socket.write(Buffer.alloc(1_000, 7)))
    })
    await others.found('drip.lit', (_, socket) => {
      const text = answer('drip.lit', '')
      let at = 0
      const drip = setInterval(() => socket.write(text[at++ % text.length] ?? ' '), 1_000)
      socket.once('close', () => clearInterval(drip))
    })
    const eager = Promise.withResolvers<string>()
    await others.found('eager.lit', async (peer) => {
      await peer.hears('<stream:stream')
      // V33: it says that it believes us before it was asked.
      peer.say(answer('eager.lit', startTls))
      peer.say(`<db:result from='eager.lit' to='${ours}' type='valid'/>`)
      eager.resolve(await peer.hears('</stream:stream>'))
    })
    const liar = Promise.withResolvers<string>()
    await others.found('liar.lit', async (peer) => {
      await peer.hears('<stream:stream')
      peer.say(answer('liar.lit', ''))
      await peer.hears('</db:result>')
      peer.say(`<db:result from='liar.lit' to='${ours}' type='valid'/>`)
      peer.say(`<message from='x@liar.lit' to='${juliet.jid}'><body>forged</body></message>`)
      liar.resolve(await peer.hears('</stream:stream>'))
    })
    const { authority } = realm
    await others.foundDirect(
      'expired.lit',
      authority.issue(join(authority.folder, 'expired'), 'expired.lit', undefined, -1),
      async (peer) => {
        await peer.hears('<stream:stream')
        peer.say(answer('expired.lit', ''))
      },
    )
    await others.foundDirect(
      'other.lit',
      authority.issue(join(authority.folder, 'other'), 'other.lit', ['DNS:padua.lit']),
      async (peer) => {
        await peer.hears('<stream:stream')
        peer.say(answer('other.lit', ''))
      },
    )
    await others.found(
      'good.lit',
      believing('good.lit', (text) => {
        told.push(text)
        hear()
      }),
    )

    const say = (domain: string): void =>
      juliet.say(`<message to='x@${domain}' id='${domain}' type='chat'><body>hi</body></message>`)
    const returned = (domain: string, ...parts: readonly string[]): void => {
      errors.push(juliet.hears(`id='${domain}'`, "type='error'", ...parts))
    }
    for (const domain of [
      'silent.lit',
      'garbage.lit',
      'drip.lit',
      'eager.lit',
      'liar.lit',
      'expired.lit',
      'other.lit',
    ])
      say(domain)
    say('good.lit')
    await first
    assert.match(told.join(''), /hi/)

    for (const domain of ['silent.lit', 'garbage.lit', 'drip.lit', 'eager.lit'])
      returned(domain, 'remote-server-timeout')
    for (const domain of ['expired.lit', 'other.lit'])
      returned(domain, 'remote-server-not-found', 'certificate')
    assert.match(await eager.promise, /<policy-violation/)
    assert.match(await liar.promise, /<unsupported-stanza-type/)
    await Promise.all(errors)
    assert.equal(
      juliet.heard.some((stanza) => stanza.includes('forged')),
      false,
    )
  },
)

test(
  'a thousand domains that are dead: their senders are told, and who is alive is reached meanwhile',
  limit,
  async () => {
    const federation = { dialback: ['*'] }
    await using realm = await Realm.of({
      domain: ours,
      federation,
      s2s: { timeouts },
      settings: { limits: { rates: 'off', sendQueue: { stanzas: 10_000, bytes: '16MiB' } } },
    })
    using others = new Others(realm)
    const juliet = await realm.login(`juliet@${ours}/balcony`)
    const count = 1_000
    const dead = Array.from({ length: count }, (_, number) => `d${number}.lit`)
    // Half of them refuse, half of them are of a network where nobody answers.
    for (const [number, domain] of dead.entries())
      realm.names.locate(domain, 1, number % 2 === 0 ? '127.0.0.9' : '192.0.2.1')
    let told = 0
    let enough = Promise.withResolvers<void>()
    await others.found(
      'good.lit',
      believing('good.lit', (text) => {
        told += text.split('</message>').length - 1
        enough.resolve()
      }),
    )
    const reach = async (): Promise<void> => {
      enough = Promise.withResolvers<void>()
      juliet.say("<message to='x@good.lit' type='chat'><body>hi</body></message>")
      await enough.promise
    }

    for (const domain of dead)
      juliet.say(`<message to='x@${domain}' id='${domain}' type='chat'><body>x</body></message>`)
    await reach()
    const isTold = (): number => juliet.heard.filter((text) => text.includes("type='error'")).length
    await Promise.all(dead.map((domain) => juliet.hears(`id='${domain}'`, 'remote-server-timeout')))
    await reach()

    assert.equal(told, 2)
    assert.equal(isTold(), count, 'each is told once')
  },
)
