import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort, type RemoteOptions } from './remote.ts'

/** What a Prosody of a test is told. */
export interface ProsodyOptions extends RemoteOptions {
  readonly accounts: readonly string[]
  /** It has TLS from the first byte as well (XEP-0368). */
  readonly direct?: boolean
}

interface Ports {
  readonly c2s: number
  readonly s2s: number
  readonly s2sTls: number
}

/** Debian's Prosody, as it comes, with accounts whose password is `secret` and rooms at `rooms.<domain>`. */
export class Prosody implements AsyncDisposable {
  readonly address: string
  readonly c2s: number
  readonly s2s: number
  readonly s2sTls: number
  readonly #folder: string
  readonly #child: ChildProcess
  readonly #lines: string[] = []

  private constructor(options: ProsodyOptions, ports: Ports) {
    this.address = options.address
    this.c2s = ports.c2s
    this.s2s = ports.s2s
    this.s2sTls = ports.s2sTls
    this.#folder = mkdtempSync(join(tmpdir(), 'tactus-prosody-'))
    const file = join(this.#folder, 'prosody.cfg.lua')
    writeFileSync(file, configuration(options, ports, this.#folder))
    const accounts = join(this.#folder, encode(options.domain), 'accounts')
    mkdirSync(accounts, { recursive: true })
    for (const name of options.accounts)
      writeFileSync(join(accounts, `${name}.dat`), 'return { ["password"] = "secret"; };\n')
    this.#child = spawn('prosody', ['-F', '--config', file], { stdio: ['ignore', 'pipe', 'pipe'] })
    const kill = (): void => void this.#child.kill('SIGKILL')
    process.once('exit', kill)
    this.#child.once('exit', () => process.off('exit', kill))
  }

  static async start(options: ProsodyOptions): Promise<Prosody> {
    const { address } = options
    const c2s = await freePort(address)
    const s2s = await freePort(address)
    const prosody = new Prosody(options, { c2s, s2s, s2sTls: await freePort(address) })
    await prosody.#listening()
    return prosody
  }

  get output(): string {
    return this.#lines.join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit')
      this.#child.kill('SIGKILL')
      await exited
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** It says so of each of its two ports. */
  #listening(): Promise<void> {
    const { stdout, stderr } = this.#child
    return new Promise((resolve, reject) => {
      let left = 2
      const keep = (line: string): void => {
        this.#lines.push(line)
        if (!/Activated service '(c2s|s2s)'/.test(line)) return
        left -= 1
        if (left === 0) resolve()
      }
      if (stdout) createInterface({ input: stdout }).on('line', keep)
      if (stderr) createInterface({ input: stderr }).on('line', keep)
      this.#child.once('exit', () => reject(new Error(`prosody ended:\n${this.output}`)))
      this.#child.once('error', reject)
    })
  }
}

/** How Prosody names its folders. */
const encode = (domain: string): string =>
  domain.replace(/[^A-Za-z0-9]/g, (character) => `%${character.charCodeAt(0).toString(16)}`)

function configuration(
  { domain, address, resolver, certificate, key, authority, dialback, direct }: ProsodyOptions,
  { c2s, s2s, s2sTls }: Ports,
  folder: string,
): string {
  return `
run_as_root = true
data_path = "${folder}"
pidfile = "${folder}/prosody.pid"
plugin_paths = {}
interfaces = { "${address}" }
c2s_ports = { ${c2s} }
c2s_direct_tls_ports = {}
s2s_ports = { ${s2s} }
s2s_direct_tls_ports = { ${direct ? s2sTls : ''} }
http_ports = {}
https_ports = {}
component_ports = {}
modules_enabled = { "roster", "saslauth", "tls", "dialback", "disco", "ping", "smacks" }
authentication = "internal_plain"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
s2s_require_encryption = true
s2s_secure_auth = ${!dialback}
ssl = { certificate = "${certificate}", key = "${key}", cafile = "${authority}", capath = false }
unbound = {
  resolvconf = false, hoststxt = false, trustfile = "/dev/null",
  forward = "${resolver.replace(':', '@')}", options = { ["do-not-query-localhost:"] = "no" },
}
log = { info = "*console" }
VirtualHost "${domain}"
Component "rooms.${domain}" "muc"
`
}
