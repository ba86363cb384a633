import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Something that a client program told. */
export type Told = Readonly<Record<string, unknown>> & { readonly event: string }

const path = (name: string): string => fileURLToPath(new URL(`agents/${name}`, import.meta.url))

/** A real client in a process of its own, driven by JSON lines. */
export class Agent implements AsyncDisposable {
  readonly name: string
  readonly #child: ChildProcessWithoutNullStreams
  readonly #told: Told[] = []
  #wake = (): void => {}
  #stderr = ''
  #over = false

  constructor(name: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.name = name
    this.#child = spawn(command, args, { env: { ...process.env, ...env } })
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      if (!line.startsWith('{')) return
      this.#told.push(JSON.parse(line) as Told)
      this.#wake()
    })
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString()
    })
    this.#child.on('exit', () => {
      this.#over = true
      this.#wake()
    })
    this.#child.stdin.on('error', () => {})
  }

  /** @xmpp/client over STARTTLS, or whatever `service` is a URL of; `authority` is the certificate file it trusts. */
  static xmppJs(service: string, jid: string, password: string, authority: string): Agent {
    const args = [path('xmppjs-agent.mjs'), service, jid, password]
    return new Agent('@xmpp/client', process.execPath, args, { NODE_EXTRA_CA_CERTS: authority })
  }

  /** stanza over BOSH or WebSocket, as the scheme of `service` says. */
  static stanza(service: string, jid: string, password: string): Agent {
    const args = [path('stanza-agent.mjs'), service, jid, password]
    return new Agent('stanza', process.execPath, args)
  }

  /** slixmpp over STARTTLS or direct TLS. */
  static slixmpp(
    address: { host: string; port: number },
    jid: string,
    password: string,
    security: 'starttls' | 'tls',
    authority: string,
  ): Agent {
    const args = [
      path('slixmpp_agent.py'),
      address.host,
      String(address.port),
      jid,
      password,
      security,
      authority,
    ]
    return new Agent('slixmpp', '/usr/bin/python3', args)
  }

  tell(order: Readonly<Record<string, unknown>>): void {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`)
  }

  /** The first thing told (since the last `expect` that took it) that fits; others stay for later. */
  async expect(event: string, fits: (told: Told) => boolean = () => true): Promise<Told> {
    const deadline = AbortSignal.timeout(30_000)
    while (true) {
      const at = this.#told.findIndex((told) => told.event === event && fits(told))
      const [told] = at < 0 ? [] : this.#told.splice(at, 1)
      if (told) return told
      if (this.#over || deadline.aborted)
        assert.fail(
          `${this.name} did not tell ${event}; it told ${JSON.stringify(this.#told)}\n${this.#stderr}`,
        )
      await this.#change(deadline)
    }
  }

  /** What was told and not yet taken by `expect`. */
  untaken(event: string): readonly Told[] {
    return this.#told.filter((told) => told.event === event)
  }

  #change(deadline: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      deadline.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  async close(): Promise<void> {
    this.tell({ do: 'close' })
    if (!this.#over) await new Promise((resolve) => this.#child.once('exit', resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#over) return
    this.#child.kill('SIGKILL')
    await new Promise((resolve) => this.#child.once('exit', resolve))
  }
}
