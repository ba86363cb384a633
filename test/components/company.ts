import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Milliseconds after which what is waited for will not come. */
const longestWait = 30_000

/** A component's side of one connection (XEP-0114), that says exactly what the test wants. */
export class Player implements Disposable {
  readonly #socket: Socket
  /** Everything that came and was not asked for yet. */
  #text = ''

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString()
      socket.emit('text')
    })
    socket.on('error', () => {})
    socket.on('close', () => socket.emit('text'))
  }

  /** Connected, with its stream open and no word said of its secret. */
  static async at(port: number, domain: string): Promise<Player> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const player = new Player(socket)
    player.say(
      `<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}'>`,
    )
    return player
  }

  /** On stage: it has proved its domain. */
  static async enter(port: number, domain: string, secret: string): Promise<Player> {
    const player = await Player.at(port, domain)
    await player.shake(secret)
    await player.hears('<handshake/>')
    return player
  }

  /** Says the hand-shake of §3, with whatever secret. */
  async shake(secret: string): Promise<void> {
    const id = / id='([^']+)'/.exec(await this.hears(/<stream:stream[^>]*>/))?.[1] ?? ''
    const digest = createHash('sha1').update(`${id}${secret}`).digest('hex')
    this.say(`<handshake>${digest}</handshake>`)
  }

  say(text: string): void {
    this.#socket.write(text)
  }

  /** What came up to and with this; fails when the connection is over before. */
  async hears(part: string | RegExp): Promise<string> {
    const patience = AbortSignal.timeout(longestWait)
    for (;;) {
      const at = endOf(this.#text, part)
      if (at !== undefined) {
        const heard = this.#text.slice(0, at)
        this.#text = this.#text.slice(at)
        return heard
      }
      if (this.#socket.destroyed || patience.aborted)
        throw new Error(`${part} is not in ${this.#text}`)
      await once(this.#socket, 'text', { signal: patience }).catch(() => {})
    }
  }

  /** What came and nobody asked for. */
  get unheard(): string {
    return this.#text
  }

  stall(): void {
    this.#socket.pause()
  }

  goOn(): void {
    this.#socket.resume()
  }

  drop(): void {
    this.#socket.destroy()
  }

  [Symbol.dispose](): void {
    this.drop()
  }
}

function endOf(text: string, part: string | RegExp): number | undefined {
  if (typeof part === 'string') {
    const at = text.indexOf(part)
    return at < 0 ? undefined : at + part.length
  }
  const match = part.exec(text)
  return match ? match.index + match[0].length : undefined
}
