import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate authority of a test, made with openssl. */
export class Authority implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'tactus-ca-'))
  readonly file: string
  readonly #key: string

  constructor() {
    this.file = join(this.folder, 'ca.pem')
    this.#key = join(this.folder, 'ca.key')
    openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-days', '30', '-subj', '/CN=Test authority', '-keyout', this.#key, '-out', this.file],
    )
  }

  /**
   * Makes `<domain>.crt` and `<domain>.key` in a folder. `names` are those of the certificate, as openssl writes them; by
   * default the domain as DNS name, and all that is below it.
   */
  issue(
    folder: string,
    domain: string,
    names: readonly string[] = [`DNS:${domain}`, `DNS:*.${domain}`],
    days = 30,
  ): { readonly certificate: string; readonly key: string } {
    mkdirSync(folder, { recursive: true })
    const at = (extension: string): string => join(folder, `${domain}.${extension}`)
    const extensions = join(this.folder, `${domain}.ext`)
    const usage = 'extendedKeyUsage=serverAuth,clientAuth'
    writeFileSync(extensions, `subjectAltName=${names.join(',')}\n${usage}\n`)
    const request = join(this.folder, `${domain}.csr`)
    openssl(
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', '/CN=unused', '-keyout', at('key'), '-out', request],
    )
    openssl(
      ...['x509', '-req', '-in', request, '-CA', this.file, '-CAkey', this.#key],
      ...['-days', String(days), '-extfile', extensions, '-out', at('crt')],
    )
    return { certificate: at('crt'), key: at('key') }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function openssl(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`)
}
