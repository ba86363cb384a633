import { test } from 'node:test'
import { clusterServices } from '@tactus/testkit'
import { tellAllStories } from './tell.ts'

test('all stories, told to a cluster with the parties on different connection managers', async (context) => {
  const services = await clusterServices(context)
  if (!services) return
  await tellAllStories('cluster', {
    REDIS_URL: services.redis.url,
    DATABASE_URL: services.postgres.url,
  })
})
