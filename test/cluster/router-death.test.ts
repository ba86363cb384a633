import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { canOwnServices } from '@tactus/testkit'
import { Chance } from '../chaos/chance.ts'
import { isKept } from '../chaos/ledger.ts'
import { Workload } from '../chaos/workload.ts'
import { World } from '../chaos/world.ts'

const accounts = Array.from({ length: 20 }, (_, index) => `death${index}@montague.example`)

test('design §3.2: a router is killed while 200 sessions talk, and nobody notices', async (context) => {
  if (!canOwnServices(context)) return
  await using world = await World.start()
  await world.addUsers(accounts)
  await using workload = new Workload({
    jids: accounts.flatMap((jid) => Array.from({ length: 10 }, (_, index) => `${jid}/${index}`)),
    password: world.password,
    ports: () => world.ports,
    rate: 200,
    disturbed: 0,
    chance: new Chance(1),
    patience: 30_000,
  })
  await workload.start()
  await pause(2_000)

  const before = await world.owners()
  assert.equal(before.owned.size, 2, 'both routers own partitions')
  const [victim] = world.server.routers
  assert(victim)
  const sentBefore = workload.ledger.verdict().sent
  const killedAt = performance.now()
  await victim.kill()
  world.server.forget(victim)
  let owners = await world.owners()
  while (owners.owned.size > 1) {
    await pause(50)
    owners = await world.owners()
  }
  const takeover = performance.now() - killedAt
  context.diagnostic(`taken over after ${Math.round(takeover)} ms`)
  assert(takeover < 5_000, `taken over after ${takeover} ms`)

  await pause(3_000)
  workload.quiet()
  await workload.settle(20_000)
  const verdict = workload.ledger.verdict()
  assert(verdict.sent > sentBefore + 200, 'they talked on')
  assert.equal(verdict.accepted, verdict.sent)
  assert(isKept(verdict), JSON.stringify(verdict))
  assert.deepEqual(workload.violations, [])
  assert.deepEqual(workload.errors, [])
  assert.equal(workload.unavailable, 0)
  assert.deepEqual([...workload.endings], [], 'nobody is disconnected')
})
