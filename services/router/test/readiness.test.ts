import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryBroker, MemoryBus } from '@tactus/bus'
import { loadConfig } from '@tactus/config'
import { realEnv } from '@tactus/env'
import { openMemorySqlite } from '@tactus/storage'
import { createLogger, Health, Metrics } from '@tactus/telemetry'
import { startRouter } from '../src/router.ts'

/** A router of its own, as it is in standalone. */
async function start(health: Health) {
  const env = realEnv()
  const broker = new MemoryBroker()
  const storage = openMemorySqlite(env)
  const router = await startRouter({
    config: loadConfig({ text: '{}', environment: {} }).config,
    env,
    log: createLogger({ write: () => {} }),
    metrics: new Metrics(),
    health,
    version: 'test',
    storage,
    openBus: async (incarnation) => new MemoryBus({ env, broker, incarnation, create: true }),
    alone: true,
  })
  await router.serving
  health.started()
  return { router, storage }
}

test('ready: bus, store and a part in the work', async () => {
  const health = new Health()
  const { router, storage } = await start(health)
  await using _router = router
  await using _storage = storage

  assert.deepEqual(await health.probe('ready'), { ok: true, problems: {} })
})

test('not ready: the store does not answer', async () => {
  const health = new Health()
  const { router, storage } = await start(health)
  await using _router = router
  await storage[Symbol.asyncDispose]()

  const { ok, problems } = await health.probe('ready')

  assert.equal(ok, false)
  assert.deepEqual(Object.keys(problems), ['storage'])
  assert.equal((await health.probe('live')).ok, true)
})

test('not ready: the bus is closed', async () => {
  const health = new Health()
  const { router, storage } = await start(health)
  await using _storage = storage
  await using _router = router
  await router.bus()?.[Symbol.asyncDispose]()

  assert.ok('bus' in (await health.probe('ready')).problems)
})

test('not ready: it is draining', async () => {
  const health = new Health()
  const { router, storage } = await start(health)
  await using _storage = storage
  await router.drain()

  assert.deepEqual(await health.probe('ready'), {
    ok: false,
    problems: { process: 'draining' },
  })
})
