import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canOwnServices } from '@tactus/testkit'
import { underLoad } from './under-load.ts'

test('F24: every process is replaced in turn under load, and nobody sees anybody go', async (context) => {
  if (!canOwnServices(context)) return
  await underLoad({}, async ({ world, workload, flows, check }) => {
    const { server } = world
    for (const old of [...server.routers]) {
      await server.startRouter()
      server.forget(old)
      assert.equal(await old.stop(), 0, old.output)
      await flows()
    }
    for (const { process: old } of [...server.doors]) {
      await server.startConnectionManager()
      server.forget(old)
      assert.equal(await old.stop(), 0, old.output)
      await flows()
    }
    // Asserts that there was no error stanza as well.
    await check()
    assert.equal(workload.unavailable, 0, 'unavailable presences of sessions that came back')
    assert.equal(workload.rebound, 0)
    assert(workload.resumptions.length >= workload.clients.length, 'everybody moved')
    assert.deepEqual(new Set(workload.endings.keys()), new Set(['system-shutdown']))
  })
})
