import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ForeignOptions, ForeignServer } from './foreign.ts'
import { ForeignProcess } from './foreign-process.ts'
import { freePort } from './remote.ts'

interface Ports {
  readonly c2s: number
  readonly s2s: number
  readonly s2sTls: number
}

/** What a Prosody may be told beside. */
interface ProsodyOptions {
  /** Where a stream breaks it sends what was not acknowledged again, instead of giving it back. */
  readonly resends?: boolean
  /** It carries stanzas in both directions of a stream (XEP-0288). */
  readonly bidi?: boolean
  readonly logs?: 'debug' | 'info'
}

/** Debian's Prosody, as it comes, with accounts whose password is `secret` and rooms at `rooms.<domain>`. */
export class Prosody implements ForeignServer {
  readonly address: string
  readonly c2s: number
  readonly s2s: number
  readonly s2sTls: number
  readonly #folder: string
  readonly #process: ForeignProcess

  private constructor(address: string, ports: Ports, folder: string, running: ForeignProcess) {
    this.address = address
    this.c2s = ports.c2s
    this.s2s = ports.s2s
    this.s2sTls = ports.s2sTls
    this.#folder = folder
    this.#process = running
  }

  static async start(options: ForeignOptions, more: ProsodyOptions = {}): Promise<Prosody> {
    const { address, domain, accounts } = options
    const [c2s, s2s] = [await freePort(address), await freePort(address)]
    const ports = { c2s, s2s, s2sTls: await freePort(address) }
    const folder = mkdtempSync(join(tmpdir(), 'tactus-prosody-'))
    const file = join(folder, 'prosody.cfg.lua')
    writeFileSync(file, configuration({ ...options, ...more }, ports, folder))
    const store = join(folder, encode(domain), 'accounts')
    mkdirSync(store, { recursive: true })
    for (const name of accounts)
      writeFileSync(join(store, `${name}.dat`), 'return { ["password"] = "secret"; };\n')
    // It says so of each of its two services.
    let left = 2
    const running = await ForeignProcess.start({
      command: 'prosody',
      args: ['-F', '--config', file],
      isReady: (line) => /Activated service '(c2s|s2s)'/.test(line) && --left === 0,
    })
    return new Prosody(address, ports, folder, running)
  }

  get output(): string {
    return this.#process.output
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** How Prosody names its folders. */
const encode = (domain: string): string =>
  domain.replace(/[^A-Za-z0-9]/g, (character) => `%${character.charCodeAt(0).toString(16)}`)

function configuration(
  options: ForeignOptions & ProsodyOptions,
  { c2s, s2s, s2sTls }: Ports,
  folder: string,
): string {
  const { domain, address, resolver, certificate, key, authority, dialback, direct } = options
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
modules_enabled = { "roster", "saslauth", "tls", "dialback", "disco", "ping", "smacks"${options.bidi ? ', "s2s_bidi"' : ''} }
authentication = "internal_plain"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
s2s_require_encryption = true
smacks_s2s_resend = ${options.resends ?? false}
s2s_secure_auth = ${!dialback}
ssl = { certificate = "${certificate}", key = "${key}", cafile = "${authority}", capath = false }
unbound = {
  resolvconf = false, hoststxt = false, trustfile = "/dev/null",
  forward = "${resolver.replace(':', '@')}", options = { ["do-not-query-localhost:"] = "no" },
}
log = { ${options.logs ?? 'info'} = "*console" }
VirtualHost "${domain}"
Component "rooms.${domain}" "muc"
`
}
