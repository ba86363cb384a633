import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { type Clock, realEnv, sleep } from '@tactus/env'

/** A clock that runs only when told to. */
function manualClock(): { clock: Clock; readonly pending: number; run(): void } {
  const tasks = new Set<() => void>()
  return {
    clock: {
      now: () => 0,
      monotonic: () => 0,
      after(_delay, task) {
        tasks.add(task)
        return () => tasks.delete(task)
      },
    },
    get pending() {
      return tasks.size
    },
    run() {
      for (const task of [...tasks]) task()
    },
  }
}

test('sleep: ends when the clock says so, and leaves no timer behind', async () => {
  const time = manualClock()
  let ended = false
  const sleeping = sleep(time.clock, 1_000).then(() => {
    ended = true
  })
  await Promise.resolve()
  assert.deepEqual([ended, time.pending], [false, 1])
  time.run()
  await sleeping
  assert.equal(time.pending, 0)
})

test('sleep: a signal ends it early without an error, and takes the timer along', async () => {
  const time = manualClock()
  const stop = new AbortController()
  const sleeping = sleep(time.clock, 1_000, stop.signal)
  stop.abort()
  await sleeping
  assert.equal(time.pending, 0)
  await sleep(time.clock, 1_000, stop.signal)
})

test('the real clock: `after` runs once, a cancelled task never, and cancelling twice is harmless', async () => {
  const { clock } = realEnv()
  const ran: string[] = []
  const cancel = clock.after(0, () => ran.push('cancelled'))
  cancel()
  cancel()
  await new Promise<void>((resolve) => clock.after(1, resolve))
  assert.deepEqual(ran, [])
  assert(clock.monotonic() > 0)
})

test('random: as many bytes as asked for, not the same twice', () => {
  const env = realEnv()
  assert.equal(env.random(16).length, 16)
  assert.notDeepEqual(env.random(16), env.random(16))
})

test('failpoint: kills the process at the n-th pass of its place, and nowhere else', () => {
  const script = `
    import { realEnv } from '@tactus/env'
    const env = realEnv(process.argv[1])
    for (const place of ['other', 'step', 'step', 'step', 'step:end']) {
      env.failpoint(place)
      process.stdout.write(place + '\\n')
    }`
  const run = (failpoint: string): { signal: string | null; places: string[] } => {
    const args = ['--conditions=source', '--input-type=module', '-e', script, failpoint]
    const { signal, stdout } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      cwd: import.meta.dirname,
    })
    return { signal, places: stdout.trim().split('\n') }
  }
  assert.deepEqual(run('step:2'), { signal: 'SIGKILL', places: ['other', 'step'] })
  assert.deepEqual(run('step'), { signal: 'SIGKILL', places: ['other'] })
  assert.deepEqual(run('step:end:1').places, ['other', 'step', 'step', 'step'])
  assert.equal(run('nowhere:1').signal, null)
})
