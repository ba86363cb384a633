import { after } from 'node:test'
import { TestServer } from '../servers/test-server.ts'
import { postgres, redis } from '../services.ts'
import { MemoryTarget } from './memory-target.ts'
import { ProcessTarget } from './process-target.ts'
import { storyTeller, type TellStory } from './story.ts'

/** How the server of this run of the stories is made: `STORY_TARGET`. */
const kind = process.env.STORY_TARGET ?? 'memory'

let server: Promise<TestServer> | undefined

/** One server for all stories of a file: each of them makes its accounts anew. */
function sharedServer(): Promise<TestServer> {
  server ??= kind === 'cluster' ? clusterServer() : TestServer.standalone()
  return server
}

async function clusterServer(): Promise<TestServer> {
  const services = { redis: await redis(), postgres: await postgres() }
  return await TestServer.cluster(services)
}

if (kind !== 'memory')
  after(async () => {
    await (await server)?.[Symbol.asyncDispose]()
  })

/**
 * Tells a story to a server: `story(title, scene)`.
 *
 * The same scene runs in memory (the default), against a standalone server (`STORY_TARGET=standalone`) and against a
 * cluster whose parties sit on different connection managers (`STORY_TARGET=cluster`).
 */
export const story: TellStory =
  kind === 'memory'
    ? storyTeller((options) => MemoryTarget.open(options), false)
    : storyTeller(async () => new ProcessTarget(await sharedServer()), true)
