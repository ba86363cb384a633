import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '@tactus/env'
import { sleep } from '@tactus/env'
import type { KeyPair } from './self-made.ts'

/** Milliseconds before its end that a certificate of ours is made anew. */
const renewBefore = 30 * 86_400_000
/** How often, and how many times, another instance's certificate is looked for. */
const pause = 50
const looks = 20

/**
 * The pair kept at `file` (`.crt`, `.key`), made where there is none.
 *
 * Instances that share the folder come to the same one: who may write the key made it, the others
 * wait for its certificate.
 */
export async function keptPair(file: string, clock: Clock, make: () => KeyPair): Promise<KeyPair> {
  const kept = await readPair(file, clock.now())
  if (kept) return kept
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const pair = make()
  for (let look = 0; look < looks; look += 1) {
    if (await writePair(file, pair)) return pair
    await sleep(clock, pause)
    const others = await readPair(file, clock.now())
    if (others) return others
  }
  // What is there is damaged or runs out, and nobody is replacing it.
  await rm(`${file}.key`, { force: true })
  return (await writePair(file, pair)) ? pair : await keptPair(file, clock, () => pair)
}

async function readPair(file: string, now: number): Promise<KeyPair | undefined> {
  try {
    const certificate = await readFile(`${file}.crt`, 'utf8')
    const key = await readFile(`${file}.key`, 'utf8')
    const { validToDate } = new X509Certificate(certificate)
    return validToDate.getTime() - now > renewBefore ? { certificate, key } : undefined
  } catch {
    // Missing or damaged: another is made.
    return undefined
  }
}

/** False where there is a key already. */
async function writePair(file: string, { certificate, key }: KeyPair): Promise<boolean> {
  try {
    await writeFile(`${file}.key`, key, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
  await writeFile(`${file}.crt.new`, certificate)
  await rename(`${file}.crt.new`, `${file}.crt`)
  return true
}
