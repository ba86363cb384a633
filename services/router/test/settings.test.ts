import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Config, ConfigError, loadConfig } from '@tactus/config'
import { coreMigrations, openMemorySqlite } from '@tactus/storage'
import { checkSettings, clusterSettings } from '../src/settings.ts'

function configWith(cluster: object): Config {
  const text = JSON.stringify({ hosts: { 'a.example': {} }, cluster })
  return loadConfig({ text, environment: {} }).config
}

const first = { id: 'verona', partitions: 16, secret: 'a secret that nobody else knows' }

/** What is said when a process with `cluster` comes to a store that was made with `first`. */
async function objections(cluster: object): Promise<string> {
  await using storage = openMemorySqlite()
  await storage.migrate(coreMigrations)
  await checkSettings(storage, configWith(first))
  try {
    await checkSettings(storage, configWith(cluster))
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message
  }
  return ''
}

test('cells do not mix: the same settings are welcome again', async () => {
  assert.equal(await objections(first), '')
})

test('cells do not mix: whatever differs is named with what stands', async () => {
  assert.match(
    await objections({ ...first, id: 'mantua' }),
    /cluster\.id.*mantua.*made with verona/,
  )
  assert.match(
    await objections({ ...first, partitions: 32 }),
    /cluster\.partitions.*32.*made with 16/,
  )
  const both = await objections({ ...first, id: 'mantua', partitions: 32 })
  assert.match(both, /cluster\.id/)
  assert.match(both, /cluster\.partitions/)
})

test('cells do not mix: another secret is refused, and neither of the two is told', async () => {
  const secret = 'another secret of somebody else'
  const said = await objections({ ...first, secret })

  assert.match(said, /cluster\.secret: is not the secret/)
  assert.ok(!said.includes(secret) && !said.includes(first.secret))
})

test('the fingerprint depends on the secret and does not contain it', () => {
  const one = clusterSettings(configWith(first)).secretFingerprint
  const other = clusterSettings(configWith({ ...first, secret: 'x'.repeat(32) })).secretFingerprint

  assert.match(one, /^[0-9a-f]{16}$/)
  assert.notEqual(one, other)
})
