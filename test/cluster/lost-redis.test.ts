import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canOwnServices } from '@tactus/testkit'
import { underLoad } from './under-load.ts'

test('design §3.11: Redis loses everything under load, and nothing that was accepted', async (context) => {
  if (!canOwnServices(context)) return
  await underLoad({}, async ({ world, workload, flows, check }) => {
    for (let times = 1; times <= 5; times += 1) {
      await flows()
      await world.flushRedis()
      const lostAt = performance.now()
      // Sessions cannot outlive it; their clients bind again.
      while (workload.rebound < workload.clients.length * times) {
        assert(performance.now() - lostAt < 10_000, 'everybody is back within ten seconds')
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      context.diagnostic(`back after ${Math.round(performance.now() - lostAt)} ms`)
      await flows(10_000)
    }
    await check()
    assert.equal(workload.rebound, workload.clients.length * 5)
  })
})
