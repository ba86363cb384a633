import { X509Certificate } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { SecureContext } from 'node:tls'
import type { Cancel, Clock } from '@tactus/env'
import { type CertificateNames, certificateNames } from './certificate-names.ts'
import { makeContext } from './secure-context.ts'

/** A certificate that was read, parsed and found to fit its key. */
export interface LoadedCertificate {
  readonly name: string
  readonly leaf: X509Certificate
  /** What it stands for beside hosts. */
  readonly names: CertificateNames
  readonly context: SecureContext
  /** Tells whether the files have changed since. */
  readonly stamp: string
}

/** What the folder tells about itself. */
export interface FolderHooks {
  loaded(certificate: LoadedCertificate): void
  /** A pair that cannot be used; what was loaded under its name before stays in use. */
  failed(name: string, error: unknown): void
}

/** Editors and ACME clients write in several steps. */
const settleTime = 300
/** A safety net where the system does not tell of changes (network folders, mounted secrets). */
const rescanEvery = 60_000

/**
 * The pairs `name.crt` (PEM, chain included) and `name.key` of a folder, read again when they change.
 */
export class CertificateFolder {
  readonly #path: string
  readonly #authorities: readonly string[] | undefined
  readonly #clock: Clock
  readonly #hooks: FolderHooks
  #certificates: ReadonlyMap<string, LoadedCertificate> = new Map()
  #failures = new Map<string, string>()
  #watcher: FSWatcher | undefined
  #cancel: Cancel | undefined
  #stopped = false

  /** @param authorities who may vouch for other servers, in PEM */
  constructor(
    path: string,
    clock: Clock,
    hooks: FolderHooks,
    authorities: readonly string[] | undefined,
  ) {
    this.#authorities = authorities
    this.#path = path
    this.#clock = clock
    this.#hooks = hooks
  }

  /** Reads the folder and keeps an eye on it. One that does not exist is empty. */
  async start(): Promise<void> {
    await this.load()
    try {
      this.#watcher = watch(this.#path, () => this.#rescanIn(settleTime))
      this.#watcher.on('error', () => this.#watcher?.close())
    } catch {
      // It may be made later; the regular rescan finds it.
    }
    this.#rescanIn(rescanEvery)
  }

  get certificates(): readonly LoadedCertificate[] {
    return [...this.#certificates.values()]
  }

  async load(): Promise<void> {
    const names = await this.#names()
    const next = new Map<string, LoadedCertificate>()
    for (const name of names) {
      const certificate = await this.#loadPair(name)
      if (certificate) next.set(name, certificate)
    }
    this.#certificates = next
  }

  [Symbol.dispose](): void {
    this.#stopped = true
    this.#watcher?.close()
    this.#cancel?.()
  }

  #rescanIn(delay: number): void {
    this.#cancel?.()
    if (this.#stopped) return
    this.#cancel = this.#clock.after(delay, () => {
      void this.load().finally(() => this.#rescanIn(rescanEvery))
    })
  }

  async #names(): Promise<string[]> {
    try {
      const files = await readdir(this.#path)
      return files.filter((file) => file.endsWith('.crt')).map((file) => basename(file, '.crt'))
    } catch (error) {
      if (isMissing(error)) return []
      this.#fail('', '', error)
      return [...this.#certificates.keys()]
    }
  }

  /** Parses and matches before anything is replaced: a broken file must not take TLS away. */
  async #loadPair(name: string): Promise<LoadedCertificate | undefined> {
    const known = this.#certificates.get(name)
    let stamp = ''
    try {
      const paths = [join(this.#path, `${name}.crt`), join(this.#path, `${name}.key`)] as const
      stamp = await stampOf(paths)
      if (known?.stamp === stamp) return known
      const [certificate, key] = await Promise.all(paths.map((path) => readFile(path, 'utf8')))
      const leaf = new X509Certificate(certificate ?? '')
      const pair = { certificate: certificate ?? '', key: key ?? '' }
      const context = makeContext(pair, this.#authorities)
      const loaded = { name, leaf, names: certificateNames(leaf.raw), context, stamp }
      this.#failures.delete(name)
      this.#hooks.loaded(loaded)
      return loaded
    } catch (error) {
      this.#fail(name, stamp, error)
      return known
    }
  }

  /** Told once for each state of the files, not at every look. */
  #fail(name: string, stamp: string, error: unknown): void {
    const key = `${stamp} ${String(error)}`
    if (this.#failures.get(name) === key) return
    this.#failures.set(name, key)
    this.#hooks.failed(name, error)
  }
}

async function stampOf(paths: readonly string[]): Promise<string> {
  const stats = await Promise.all(paths.map((path) => stat(path)))
  return stats.map(({ ino, size, mtimeMs }) => `${ino}-${size}-${mtimeMs}`).join(' ')
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
