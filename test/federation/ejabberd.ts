import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ForeignOptions, ForeignServer } from './foreign.ts'
import { ForeignProcess } from './foreign-process.ts'
import { freePort } from './remote.ts'

interface Ports {
  readonly c2s: number
  readonly s2s: number
  readonly s2sTls: number
}

/**
 * Debian's ejabberd with accounts whose password is `secret` and rooms at `rooms.<domain>`.
 *
 * It is started as its `ejabberdctl` starts it, but without a name in a cluster of Erlang's, which would start a daemon for
 * the whole machine (epmd), and as whoever runs the test.
 */
export class Ejabberd implements ForeignServer {
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

  static async start(options: ForeignOptions): Promise<Ejabberd> {
    const { address, resolver } = options
    const [c2s, s2s] = [await freePort(address), await freePort(address)]
    const ports = { c2s, s2s, s2sTls: await freePort(address) }
    const folder = mkdtempSync(join(tmpdir(), 'tactus-ejabberd-'))
    writeFileSync(join(folder, 'ejabberd.yml'), configuration(options, ports, folder))
    writeFileSync(join(folder, 'inetrc'), nameServer(resolver))
    const running = await ForeignProcess.start({
      command: 'erl',
      args: [
        ...['-noinput', '-mnesia', 'dir', `"${join(folder, 'mnesia')}"`, '-s', 'ejabberd'],
        ...[
          '-eval',
          `${options.accounts.map((name) => register(name, options.domain)).join('')}ok.`,
        ],
        ...['-eval', `io:format("${ready}~n").`],
      ],
      env: {
        EJABBERD_CONFIG_PATH: join(folder, 'ejabberd.yml'),
        EJABBERD_LOG_PATH: join(folder, 'ejabberd.log'),
        ERL_CRASH_DUMP_BYTES: '0',
        ERL_INETRC: join(folder, 'inetrc'),
        ERL_LIBS: libraries(),
        HOME: folder,
      },
      isReady: (line) => line === ready,
    })
    return new Ejabberd(address, ports, folder, running)
  }

  get output(): string {
    return this.#process.output
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

const ready = 'all accounts are there'

const register = (name: string, domain: string): string =>
  `ok = ejabberd_auth:try_register(<<"${name}">>, <<"${domain}">>, <<"secret">>), `

/** Where Debian has Erlang look for it. */
function libraries(): string {
  const [beam] = globSync('/usr/lib/*/ejabberd-*/ebin/ejabberd.beam')
  if (beam === undefined) throw new Error('ejabberd is not where Debian puts it')
  return dirname(dirname(dirname(beam)))
}

/** Erlang's own resolver asks this one and nobody else. */
function nameServer(resolver: string): string {
  const [host = '', port = ''] = resolver.split(':')
  return `{resolv_conf, ""}.
{hosts_file, ""}.
{nameserver, {${host.replaceAll('.', ',')}}, ${port}}.
{lookup, [dns]}.
`
}

function configuration(
  { domain, address, certificate, key, authority, dialback, direct }: ForeignOptions,
  { c2s, s2s, s2sTls }: Ports,
  folder: string,
): string {
  const both = join(folder, 'both.pem')
  writeFileSync(both, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'), {
    mode: 0o600,
  })
  const listener = (module: string, port: number, more: object): object => ({
    module,
    port,
    ip: address,
    ...more,
  })
  // What is JSON is YAML.
  return JSON.stringify({
    loglevel: 'info',
    hosts: [domain],
    certfiles: [both],
    ca_file: authority,
    listen: [
      listener('ejabberd_c2s', c2s, {}),
      listener('ejabberd_s2s_in', s2s, {}),
      ...(direct ? [listener('ejabberd_s2s_in', s2sTls, { tls: true })] : []),
    ],
    auth_method: 'internal',
    s2s_use_starttls: 'required',
    modules: {
      mod_disco: {},
      mod_muc: { hosts: [`rooms.${domain}`] },
      mod_ping: {},
      mod_roster: {},
      ...(dialback && { mod_s2s_dialback: {} }),
    },
  })
}
