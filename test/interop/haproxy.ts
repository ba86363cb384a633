import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { TestServer } from '@tactus/testkit'

const path = fileURLToPath(new URL('../../deploy/haproxy/haproxy.cfg', import.meta.url))
const within = 20_000

/** Who gets the next connection; `leastconn` is deployed. */
type Balance = 'leastconn' | 'roundrobin'

/** The haproxy of docker-compose.yml, in front of the doors of a test's cluster. */
export class Haproxy implements AsyncDisposable {
  readonly ports: Readonly<Record<'c2s' | 'http', number>>
  readonly #child: ReturnType<typeof spawn>
  readonly #folder: string
  #output = ''

  private constructor(
    server: TestServer,
    ports: Haproxy['ports'],
    { spare, balance }: { readonly spare: readonly number[]; readonly balance: Balance },
  ) {
    this.ports = ports
    this.#folder = mkdtempSync(join(tmpdir(), 'tactus-haproxy-'))
    const file = join(this.#folder, 'haproxy.cfg')
    writeFileSync(
      file,
      configuration(server, ports, spare).replace('balance leastconn', `balance ${balance}`),
    )
    this.#child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString()
      })
  }

  /** Resolves when it finds an instance behind itself. */
  static async start(server: TestServer, balance: Balance = 'leastconn'): Promise<Haproxy> {
    const [c2s = 0, http = 0, ...spare] = await freePorts(4)
    const haproxy = new Haproxy(server, { c2s, http }, { spare, balance })
    const until = performance.now() + within
    while (!(await answers(c2s))) {
      if (performance.now() > until || haproxy.#child.exitCode !== null)
        throw new Error(`haproxy does not serve:\n${haproxy.#output}`)
      await pause(50)
    }
    return haproxy
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      this.#child.kill('SIGKILL')
      await new Promise((resolve) => this.#child.once('exit', resolve))
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** The deployed file, with the addresses of this machine. */
function configuration(
  server: TestServer,
  { c2s, http }: Haproxy['ports'],
  [c2sTls, https]: readonly number[],
): string {
  const binds: Record<string, number | undefined> = {
    5222: c2s,
    5223: c2sTls,
    5280: http,
    5281: https,
  }
  const listeners: Record<string, string> = {
    5222: 'c2s',
    5223: 'c2sTls',
    5280: 'http',
    5281: 'https',
  }
  return readFileSync(path, 'utf8')
    .replace(/maxconn \d+/, 'maxconn 100')
    .replace(/^ {2}bind :(\d+)$/gm, (_, port: string) => `  bind 127.0.0.1:${binds[port]}`)
    .replace(/ connection-manager-(\d):(\d+)$/gm, (_, door: string, port: string) => {
      const to = server.port(listeners[port] ?? '', Number(door))
      return ` 127.0.0.1:${to} port ${server.port('metrics', Number(door))}`
    })
    .replace(/ resolvers docker init-addr \S+/, '')
    .replace(/^resolvers docker\n(?: {2}.*\n)+/m, '')
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports: number[] = []
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ports.push((server.address() as { port: number }).port)
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Whether somebody behind the port answers a stream's header. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('data', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.once('data', () => socket.destroy())
    socket.write(
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='montague.example' version='1.0'>",
    )
  })
}
