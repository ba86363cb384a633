import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** What processes have used so far. */
export interface Usage {
  /** Seconds of wall time, from an arbitrary moment. */
  readonly at: number
  /** CPU seconds by process, its children included. */
  readonly cpu: Readonly<Record<string, number>>
  /** CPU seconds of this process. */
  readonly own: number
  /** CPU seconds of everything on the machine. */
  readonly all: number
}

const ticksPerSecond = 100
const pageBytes = 4_096

/** The fields behind the name, which is in parentheses and may hold spaces. */
function statOf(pid: number): readonly string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return list.split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** utime and stime of it and its children, and of those that have ended. */
function cpuSeconds(pid: number): number {
  const own = statOf(pid)
  const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + Number(own[field] ?? 0), 0)
  return childrenOf(pid).reduce((sum, child) => sum + cpuSeconds(child), ticks / ticksPerSecond)
}

/** What the whole machine did, from its first line; without what it idled or waited. */
const machineSeconds = (): number =>
  cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1e3

/** What everybody has used by now. */
export function usageOf(processes: Readonly<Record<string, number>>): Usage {
  const { user, system } = process.cpuUsage()
  const cpu = Object.entries(processes).map(([name, pid]) => [name, cpuSeconds(pid)] as const)
  return {
    at: performance.now() / 1e3,
    cpu: Object.fromEntries(cpu),
    own: (user + system) / 1e6,
    all: machineSeconds(),
  }
}

/** Resident bytes by process, its children included. */
export function residentBytes(
  processes: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const resident = (pid: number): number =>
    childrenOf(pid).reduce(
      (sum, child) => sum + resident(child),
      Number(statOf(pid)[21] ?? 0) * pageBytes,
    )
  return Object.fromEntries(Object.entries(processes).map(([name, pid]) => [name, resident(pid)]))
}
