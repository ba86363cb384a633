import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { TestServer } from '@tactus/testkit'
import { Chance } from './chance.ts'
import { isKept } from './ledger.ts'
import { Workload } from './workload.ts'

/** `STANDALONE_KILLS=50` for the long run. */
const kills = Number(process.env.STANDALONE_KILLS ?? 5)
const password = 'a glooming peace'

test('the standalone server is killed again and again under load, and loses nothing that it accepted', async (context) => {
  await using server = await TestServer.standalone()
  const accounts = Array.from({ length: 20 }, (_, index) => `alone${index}@montague.example`)
  for (const jid of accounts) await server.addUser(jid, password)
  const chance = new Chance(50)
  await using workload = new Workload({
    jids: accounts.map((jid) => `${jid}/r`),
    password,
    ports: () => server.doors.flatMap(({ ready }) => ready.ports.c2s ?? []),
    rate: 100,
    disturbed: 0.3,
    chance,
  })
  await workload.start()
  for (let times = 0; times < kills; times += 1) {
    await pause(chance.between(500, 3_000))
    const [door] = server.doors
    assert(door)
    server.forget(door.process)
    await door.process.kill()
    await server.startStandalone()
    const { delivered } = workload.ledger.verdict()
    const backAt = performance.now()
    while (workload.ledger.verdict().delivered < delivered + 50) {
      assert(performance.now() - backAt < 30_000, 'it goes on')
      await pause(20)
    }
  }
  workload.quiet()
  await workload.settle(30_000)
  const verdict = workload.ledger.verdict()
  const counts = Object.entries(verdict).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.length : value,
  ])
  context.diagnostic(JSON.stringify({ kills, ...Object.fromEntries(counts) }))
  assert(isKept(verdict), JSON.stringify(verdict))
  assert.deepEqual(workload.violations, [])
  assert.deepEqual(workload.errors, [])
  assert(verdict.accepted > 50 * kills)
})
