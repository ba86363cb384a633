import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Files that tell stories; what else is in their folders needs no server and has run already. */
const files = globSync('packages/modules/test/*.test.ts', { cwd: root })

/**
 * Tells all stories to one running server: the same scenes that run in memory, by the same files.
 *
 * One process for all files, so that they share the server.
 */
export async function tellAllStories(
  target: 'standalone' | 'cluster',
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const args = ['--conditions=source', '--test', '--test-isolation=none', ...files]
  const child = spawn(process.execPath, args, {
    cwd: root,
    // The outer runner's context would make the inner one report to it.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, STORY_TARGET: target, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const keep = (chunk: Buffer): void => {
    output += chunk.toString()
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const code = await new Promise((resolve) => child.once('exit', resolve))
  const passed = Number(
    /^ℹ pass (\d+)$/m.exec(output)?.[1] ?? /^# pass (\d+)$/m.exec(output)?.[1] ?? 0,
  )
  assert.equal(code, 0, output)
  assert(passed > 50, `only ${passed} stories were told:\n${output}`)
}
