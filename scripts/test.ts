/**
 * Everything that must hold before a change lands: `npm test`.
 *
 * With arguments, only the test files whose path contains one of them: `npm test -- jid`.
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, sep } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

interface Check {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
}

interface Phase {
  readonly name: string
  readonly files: readonly string[]
  readonly concurrency: number
  /** For one test, and for one file, ms; what takes longer hangs. */
  readonly timeout: number
}

interface Counts {
  passed: number
  failed: number
  skipped: number
}

const root = join(import.meta.dirname, '..')
const bin = (name: string): string => join(root, 'node_modules', '.bin', name)

const checks: readonly Check[] = [
  { name: 'lint and format', command: bin('biome'), args: ['check', '--error-on-warnings'] },
  { name: 'types', command: bin('tsc'), args: ['-b'] },
  { name: 'types of tests and scripts', command: bin('tsc'), args: ['-p', 'tsconfig.tests.json'] },
  { name: 'nothing unused', command: bin('knip'), args: ['--no-progress', '--no-config-hints'] },
  {
    name: 'generated docs are up to date',
    command: process.execPath,
    args: ['--conditions=source', 'scripts/generate.ts', '--check'],
  },
]

const timeout = 300_000

const filesOf = (pattern: string, wanted: readonly string[]): readonly string[] =>
  globSync(pattern, { cwd: root })
    .filter((file) => !file.includes('node_modules'))
    .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
    .sort()

/** Tests in `test/` that speak with the whole system, told apart by what else the machine can do meanwhile. */
const lanes = {
  simulation: ['simulation'],
  stories: ['stories', 'stream-management'],
  otherPrograms: ['components', 'federation', 'helm', 'interop'],
} as const

const folderOf = (file: string): string => file.split(sep)[1] ?? ''

/**
 * Groups of phases that run at once. Where processes are killed and frozen, tests want the machine for themselves, and
 * wait more than they work: simulations, which ask for no more than what is left over, run beside them. Stories and
 * what is spoken with other programs run in two lanes.
 */
function phasesOf(wanted: readonly string[]): readonly (readonly Phase[])[] {
  const whole = filesOf('test/**/*.test.ts', wanted)
  const inLane = (folders: readonly string[]) =>
    whole.filter((file) => folders.includes(folderOf(file)))
  const named: readonly string[] = Object.values(lanes).flat()
  const lane = (name: string, files: readonly string[], limit = timeout): Phase => ({
    name,
    files,
    concurrency: 1,
    timeout: limit,
  })
  return [
    [
      {
        name: 'packages and services',
        files: filesOf('{packages,services}/*/test/**/*.test.ts', wanted),
        concurrency: availableParallelism(),
        timeout,
      },
    ],
    [
      lane(
        'the repository, and processes that die',
        whole.filter((file) => !named.includes(folderOf(file))),
      ),
      lane('many interleavings, beside it', inLane(lanes.simulation), timeout * 5),
    ],
    [
      lane('stories, told to running processes', inLane(lanes.stories)),
      lane('other programs, beside them', inLane(lanes.otherPrograms)),
    ],
  ]
}

const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

function runCheck({ name, command, args }: Check): boolean {
  const started = performance.now()
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  say(`${status === 0 ? '✔' : '✖'} ${name} (${seconds} s)`)
  if (status !== 0) say([error?.message, stdout, stderr].filter(Boolean).join('\n').trimEnd())
  return status === 0
}

async function runPhase(
  { name, files, concurrency, timeout }: Phase,
  reasons: Set<string>,
): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 }
  if (files.length === 0) return counts
  say(`\n${name}`)
  const events = run({
    cwd: root,
    files: files.map((file) => join(root, file)),
    concurrency,
    timeout,
    // What a test that failed has left open must not keep its file from ending.
    forceExit: true,
    execArgv: ['--conditions=source'],
  })
  events.on('test:pass', ({ skip }) => {
    if (typeof skip === 'string') reasons.add(skip)
  })
  events.on('test:summary', ({ file, counts: summary }) => {
    if (file !== undefined) return
    counts.passed = summary.passed
    counts.failed = summary.tests - summary.passed - summary.skipped - summary.todo
    counts.skipped = summary.skipped + summary.todo
  })
  for await (const text of events.compose(new spec())) process.stdout.write(text)
  return counts
}

const wanted = process.argv.slice(2)
const total: Counts = { passed: 0, failed: 0, skipped: 0 }
const reasons = new Set<string>()
const failedChecks: string[] = []

for (const check of wanted.length > 0 ? [] : checks) {
  if (runCheck(check)) total.passed++
  else failedChecks.push(check.name)
}
for (const phases of phasesOf(wanted)) {
  const counts = await Promise.all(phases.map((phase) => runPhase(phase, reasons)))
  for (const { passed, failed, skipped } of counts) {
    total.passed += passed
    total.failed += failed
    total.skipped += skipped
  }
}
total.failed += failedChecks.length

say('')
for (const name of failedChecks) say(`✖ ${name}: see above`)
for (const reason of reasons) say(`﹣ skipped: ${reason}`)
say(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
