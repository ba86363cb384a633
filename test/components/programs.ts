import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Agent } from '../interop/agent.ts'

/** Where a component connects, and as what. */
export interface Place {
  readonly domain: string
  readonly secret: string
  readonly port: number
}

/** A program of others, with a folder for its configuration. */
export class Program implements Disposable {
  readonly #folder: string
  readonly #child: ChildProcess
  #output = ''

  /** @param line what runs it, of the folder in which its file stands */
  constructor(
    files: Readonly<Record<string, string>>,
    line: (folder: string) => readonly [string, ...string[]],
  ) {
    this.#folder = mkdtempSync(join(tmpdir(), 'tactus-program-'))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.#folder, name), text)
    const [command, ...args] = line(this.#folder)
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: this.#folder })
    const keep = (chunk: Buffer): void => {
      this.#output += chunk.toString()
    }
    this.#child.stdout?.on('data', keep)
    this.#child.stderr?.on('data', keep)
  }

  /** What it printed, for the message of a failed test. */
  get output(): string {
    return this.#output
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Debian's gateway to IRC, as a component. */
export function biboumi({ domain, secret, port }: Place): Program {
  const lines = [
    `hostname=${domain}`,
    `password=${secret}`,
    'xmpp_server_ip=127.0.0.1',
    `port=${port}`,
    'db_name=biboumi.sqlite',
    'identd_port=0',
    'log_level=1',
  ]
  const files = { 'biboumi.cfg': `${lines.join('\n')}\n` }
  return new Program(files, (folder) => ['biboumi', join(folder, 'biboumi.cfg')])
}

/** Debian's IRC server, at a loopback address of its own and the port that gateways look at. */
export function ngircd(address: string): Program {
  const text = `[Global]
Name = irc.example
Info = A server of a test
Listen = ${address}
Ports = 6667
[Options]
DNS = no
Ident = no
PAM = no
[Limits]
ConnectRetry = 60
MaxConnectionsIP = 0
`
  return new Program({ 'ngircd.conf': text }, (folder) => [
    'ngircd',
    '--nodaemon',
    '--config',
    join(folder, 'ngircd.conf'),
  ])
}

/** A component that is made with slixmpp; it answers messages with its name and what it heard. */
export function echo(name: string, { domain, secret, port }: Place): Agent {
  const script = fileURLToPath(new URL('echo_component.py', import.meta.url))
  const args = [script, domain, secret, '127.0.0.1', String(port), name]
  return new Agent(name, '/usr/bin/python3', args)
}
