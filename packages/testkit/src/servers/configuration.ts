import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Config, loadConfig } from '@tactus/config'
import { runCommand } from '@tactus/ctl'
import { realEnv } from '@tactus/env'

const names = ['montague.example', 'capulet.example'] as const

/** The hosts of the stories, who know of no other servers: a story asks no name server of this world. */
export const storyHosts: Readonly<Record<string, object>> = Object.fromEntries(
  names.map((host) => [host, { federation: { policy: 'off' } }]),
)

/** A configuration file in a folder of its own, gone afterwards. */
export class TestConfiguration implements Disposable {
  readonly folder: string
  readonly file: string
  readonly #config: Config

  /** `settings` goes over what tests want: loopback, free ports, no TLS demanded, no rate limits. JSON is YAML. */
  constructor(settings: Readonly<Record<string, unknown>>) {
    this.folder = mkdtempSync(join(tmpdir(), 'tactus-'))
    this.file = join(this.folder, 'tactus.yaml')
    const any = '127.0.0.1:0'
    const all = {
      hosts: storyHosts,
      listen: {
        c2s: any,
        c2sTls: any,
        s2s: any,
        s2sTls: any,
        component: any,
        http: any,
        https: any,
        metrics: any,
      },
      tls: { required: false, certificates: './certs' },
      storage: { url: './data' },
      limits: { rates: 'off' },
      ...settings,
    }
    writeFileSync(this.file, JSON.stringify(all))
    this.#config = loadConfig({ file: this.file, environment: {} }).config
  }

  /** Runs an admin command in the server that runs from this configuration. */
  command(name: string, given: unknown): Promise<unknown> {
    return runCommand({ config: this.#config, env: realEnv(), version: 'test' }, name, given)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
