import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { availableParallelism, constants, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** How many interleavings of one kind; CI asks for more by `SIMULATION_SEEDS`. */
const wanted = Number(process.env.SIMULATION_SEEDS ?? 1_000)

/** Runs seeds of one kind of the simulation, told by a part of the test's title, on all cores. */
export async function simulateMany(kind: string, share: number): Promise<void> {
  const processes = availableParallelism()
  const each = Math.ceil((wanted * share) / processes)
  // Away from the seeds that every run of the package's own tests tries.
  await Promise.all(
    Array.from({ length: processes }, (_, k) => simulateSome(kind, 10_000 + k * each, each)),
  )
}

async function simulateSome(kind: string, first: number, seeds: number): Promise<void> {
  const file = 'packages/cluster/test/simulation.test.ts'
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--test', `--test-name-pattern=${kind}`, file],
    {
      cwd: root,
      env: {
        ...process.env,
        NODE_TEST_CONTEXT: undefined,
        SIMULATION_FIRST: String(first),
        SIMULATION_SEEDS: String(seeds),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  // Others that run meanwhile go by the clock, a simulation does not.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW)
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const code = await new Promise((resolve) => child.once('exit', resolve))
  assert.equal(code, 0, output)
  assert.match(output, /pass 1$/m, `nothing was simulated:\n${output}`)
}
