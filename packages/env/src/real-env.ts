import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { Clock, Env } from './env.ts'

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delay, task) {
    const timer = setTimeout(task, delay)
    return () => clearTimeout(timer)
  },
}

/**
 * The environment of a real process.
 *
 * `failpoint` is `name:n` (die with SIGKILL at the n-th pass of that place) or undefined.
 */
export function realEnv(failpoint?: string): Env {
  // Names have colons in them as well.
  const [, target, count = '1'] = /^(.*?)(?::(\d+))?$/.exec(failpoint ?? '') ?? []
  let left = Number(count)
  return {
    clock,
    random: (length) => randomBytes(length),
    failpoint(name) {
      if (name !== target) return
      left -= 1
      if (left === 0) process.kill(process.pid, 'SIGKILL')
    },
  }
}
