import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import {
  type Bus,
  busContract,
  type ContractOpen,
  type ContractWorld,
  openRedisBus,
} from '@tactus/bus'
import { realEnv } from '@tactus/env'
import { Redis } from 'ioredis'
import { redis, redisFor } from '../src/services.ts'

const world = async (): Promise<ContractWorld> => {
  const { url } = await redis()
  const cluster = `contract-${randomBytes(6).toString('hex')}`
  const handles: Bus[] = []
  const open = async (options: ContractOpen = {}): Promise<Bus> => {
    const bus = await openRedisBus({
      url,
      env: realEnv(),
      cluster,
      incarnation: 1,
      create: false,
      commandTimeout: 5_000,
      ...options,
    })
    handles.push(bus)
    return bus
  }
  await open({ create: true })
  return {
    open,
    async lose() {
      const client = new Redis(url)
      await client.del(`tactus:${cluster}:incarnation`)
      client.disconnect()
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(handles.map((handle) => handle[Symbol.asyncDispose]()))
    },
  }
}

for (const { title, run } of busContract)
  test(title, { timeout: 20_000 }, async (t) => {
    if (!(await redisFor(t))) return
    await using fresh = await world()
    await run(fresh)
  })

after(async () => {
  if (!process.env.REDIS_URL) await (await redis().catch(() => undefined))?.[Symbol.asyncDispose]()
})
