import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Clock, realEnv } from '@tactus/env'
import { keptPair } from '../src/certificates/kept-pair.ts'
import { type KeyPair, makeSelfSigned } from '../src/certificates/self-made.ts'

const { clock, random } = realEnv()
const make = (): KeyPair => makeSelfSigned('montague.example', { now: clock.now(), random })

async function inFolder(run: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kept-'))
  await run(join(folder, 'certificates', 'montague.example'))
  await rm(folder, { recursive: true })
}

test('a certificate that was made is kept, its key for nobody else to read', async () => {
  await inFolder(async (file) => {
    const pair = await keptPair(file, clock, make)
    assert.deepEqual(await keptPair(file, clock, make), pair)
    assert.equal((await stat(`${file}.key`)).mode & 0o077, 0)
  })
})

test('instances that start together come to one certificate', async () => {
  await inFolder(async (file) => {
    const pairs = await Promise.all(Array.from({ length: 5 }, () => keptPair(file, clock, make)))
    assert.equal(new Set(pairs.map(({ key }) => key)).size, 1)
    const { publicKey } = new X509Certificate(await readFile(`${file}.crt`, 'utf8'))
    assert.ok(new X509Certificate(pairs[0]?.certificate ?? '').verify(publicKey))
  })
})

test('what is damaged or runs out is made anew', async () => {
  await inFolder(async (file) => {
    const first = await keptPair(file, clock, make)
    const later: Clock = {
      ...clock,
      now: () => clock.now() + 380 * 86_400_000,
      // The looks for another instance's certificate take no time here.
      after: (_, task) => clock.after(0, task),
    }
    const second = await keptPair(file, later, () =>
      makeSelfSigned('montague.example', { now: later.now(), random }),
    )
    assert.notEqual(second.key, first.key)
    await writeFile(`${file}.crt`, 'damaged')
    const third = await keptPair(file, later, make)
    assert.notEqual(third.key, second.key)
  })
})
