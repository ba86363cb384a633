import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canOwnServices } from '@tactus/testkit'
import { eventually, underLoad } from './under-load.ts'

test('F17: who cannot reach Redis for long lets its clients go, and they resume when it is back', async (context) => {
  if (!canOwnServices(context)) return
  const settings = { cluster: { heartbeat: '1s' } }
  await underLoad({ settings }, async ({ world, workload, flows, check }) => {
    await flows()
    const { redis } = world
    await redis.kill('SIGSTOP')
    const all = workload.clients.length
    await eventually(
      () => (workload.endings.get('reset') ?? 0) === all,
      30_000,
      'streams are still open',
    )
    await redis.kill('SIGCONT')
    await flows(30_000)
    await check()
    assert.equal(workload.rebound, 0, 'sessions outlive the outage')
    assert.equal(workload.unavailable, 0)
  })
})
