import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually, type UnderLoad, underLoad } from './under-load.ts'

interface Instance {
  readonly id: string
  readonly role: string
  readonly partitions: number
  readonly info: string
}

async function instances({ world }: UnderLoad): Promise<readonly Instance[]> {
  const { instances: list } = (await world.server.command('instance list', {})) as {
    readonly instances: readonly Instance[]
  }
  return list
}

const drainingOf = (list: readonly Instance[]): readonly string[] =>
  list.filter(({ info }) => info.includes('draining')).map(({ id }) => id)

test('instance drain: a router owns nothing until it is undrained, and nobody notices', async () => {
  await underLoad({}, async (load) => {
    const { world, workload, flows, check } = load
    const { server } = world
    const owned = async (id: string): Promise<number> =>
      (await instances(load)).find((instance) => instance.id === id)?.partitions ?? 0
    const id = (await instances(load)).find(({ role }) => role === 'router')?.id ?? ''
    await server.command('instance drain', { id })
    assert.deepEqual(drainingOf(await instances(load)), [id], 'announced before the answer')
    await eventually(async () => (await owned(id)) === 0, 10_000, 'it owns partitions')
    await flows()
    await server.command('instance undrain', { id })
    await eventually(async () => (await owned(id)) > 16, 15_000, 'it owns too little')
    assert.deepEqual(drainingOf(await instances(load)), [])
    await check()
    assert.deepEqual(Object.fromEntries(workload.endings), {})
    assert.deepEqual(
      server.routers.map(({ output }) => output.includes('router_restarted')),
      [false, false],
    )
  })
})

test('instance drain: clients of a connection manager resume elsewhere, until it is undrained', async () => {
  await underLoad({}, async (load) => {
    const { world, workload, flows, check } = load
    const { server } = world
    const [door] = server.doors
    const id = door?.ready.instance ?? ''
    const port = door?.ready.ports.c2s?.[0] ?? 0
    await server.command('instance drain', { id })
    await eventually(() => workload.resumptions.length > 0, 10_000, 'nobody resumed')
    await flows()
    assert.deepEqual(drainingOf(await instances(load)), [id])
    assert.equal(workload.unavailable, 0)
    await assert.rejects(server.login('c0@montague.example/there', world.password, 0), /ended/)

    await server.command('instance undrain', { id })
    assert.deepEqual(drainingOf(await instances(load)), [])
    assert.equal(server.port('c2s', 0), port)
    const client = await server.login('c0@montague.example/there', world.password, 0)
    await client.close()
    await check()
    assert.deepEqual(new Set(workload.endings.keys()), new Set(['system-shutdown']))
    assert.equal(workload.rebound, 0)
  })
})

test('instance drain: an unknown instance is told with those that there are', async () => {
  await underLoad({}, async (load) => {
    const list = await instances(load)
    await assert.rejects(load.world.server.command('instance drain', { id: 'nobody' }), (error) => {
      for (const { id } of list) assert.ok(String(error).includes(id), String(error))
      return true
    })
  })
})
