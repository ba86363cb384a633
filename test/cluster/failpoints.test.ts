import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually, underLoad } from './under-load.ts'

/** Where a step may be torn apart (design §3.3), and at which pass of that place. */
const steps = ['step:before-rows:9', 'step:in-rows:9', 'step:between:9', 'step:before-reply:9']
/** Where a takeover may be (design §3.2). */
const takeovers = [
  'takeover:fenced:1',
  'takeover:redone:1',
  'takeover:transferred:1',
  'takeover:read:1',
]

const heartbeat = '1500ms'

test('F03: a router that dies at any point of a step or of a takeover takes nothing with it', async (t) => {
  const settings = {
    cluster: { id: `failpoints-${process.pid}`, secret: 'of this test', heartbeat },
  }
  await underLoad({ settings }, async ({ world, workload, flows, check }) => {
    const { server } = world

    for (const FAILPOINT of steps)
      await t.test(FAILPOINT, async () => {
        const victim = await server.startRouter({ FAILPOINT })
        assert.equal(await victim.exited, 'SIGKILL')
        server.forget(victim)
        await flows()
      })

    for (const FAILPOINT of takeovers)
      await t.test(FAILPOINT, async () => {
        const victim = await server.startRouter({ FAILPOINT })
        const [dead] = server.routers
        assert.ok(dead)
        server.forget(dead)
        await dead.kill()
        assert.equal(await victim.exited, 'SIGKILL')
        server.forget(victim)
        await server.startRouter()
        await flows()
      })

    await check()
    // The sessions stay: no stream was ended, and nobody had to bind again.
    assert.deepEqual(Object.fromEntries(workload.endings), {})
    assert.equal(workload.rebound, 0)
    await eventually(
      async () => {
        const { owned, fenced } = await world.owners()
        return [...owned.keys()].every((id) => id !== undefined && !fenced.has(id))
      },
      10_000,
      'partitions have no living owner',
    )
  })
})
