import { test } from 'node:test'
import {
  type Bus,
  busContract,
  type ContractOpen,
  type ContractWorld,
  MemoryBroker,
  MemoryBus,
} from '@tactus/bus'
import { realEnv } from '@tactus/env'

const world = (): ContractWorld => {
  const broker = new MemoryBroker()
  const handles: Bus[] = []
  return {
    async open(options: ContractOpen = {}) {
      const bus = new MemoryBus({ env: realEnv(), broker, incarnation: 1, ...options })
      handles.push(bus)
      return bus
    },
    lose: async () => broker.clear(),
    [Symbol.asyncDispose]: async () => {
      for (const handle of handles) await handle[Symbol.asyncDispose]()
    },
  }
}

for (const { title, run } of busContract)
  test(title, { timeout: 20_000 }, async () => {
    await using fresh = world()
    await run(fresh)
  })
