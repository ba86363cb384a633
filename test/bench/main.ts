import { writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { fullPlan, type Measurement, shortPlan } from './plan.ts'
import { table } from './report.ts'
import { measure, type Result } from './run.ts'
import { startTarget, type TargetName, targetNames } from './target.ts'

const help = `Measures Tactus on this machine: log-ins, pings, chat messages, memory of idle sessions.

  npm run bench -- [options]

  --target NAME    standalone, cluster or both (default: both); the cluster needs Redis and Postgres
  --only A,B       only these measurements, by name (chat-100) or by kind (chat)
  --repeat N       every measurement so many times, in turns (default 1)
  --short          a smoke run of under a minute
  --json FILE      writes the results there, with what they were measured on
  --profile DIR    writes a CPU profile of the standalone server there

docs/performance.md says how to read the figures.`

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: 'both' },
    only: { type: 'string' },
    repeat: { type: 'string', default: '1' },
    short: { type: 'boolean', default: false },
    json: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

function targets(): readonly TargetName[] {
  if (values.target === 'both') return targetNames
  const found = targetNames.find((name) => name === values.target)
  if (!found) throw new Error(`--target takes ${targetNames.join(', ')} or both`)
  return [found]
}

function plan(): readonly Measurement[] {
  const whole = values.short ? shortPlan : fullPlan
  if (values.only === undefined) return whole
  const wanted = values.only.split(',')
  const found = whole.filter(({ name, kind }) => wanted.includes(name) || wanted.includes(kind))
  if (found.length === 0)
    throw new Error(`--only takes ${whole.map(({ name }) => name).join(', ')}`)
  return found
}

async function measureTarget(name: TargetName, repeat: number): Promise<readonly Result[]> {
  await using target = await startTarget(name, values.profile)
  const results: Result[] = []
  for (let turn = 0; turn < repeat; turn++)
    for (const measurement of plan()) {
      process.stderr.write(`${name}: ${measurement.name} …\n`)
      results.push(await measure(target, measurement))
    }
  return results
}

async function main(): Promise<void> {
  const repeat = Number(values.repeat)
  const results: Result[] = []
  for (const name of targets()) results.push(...(await measureTarget(name, repeat)))
  process.stdout.write(table(results))
  const [cpu] = cpus()
  const machine = {
    cpu: cpu?.model,
    cpus: cpus().length,
    memory: totalmem(),
    node: process.version,
    load: loadavg(),
  }
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, results }, null, 2)}\n`)
}

if (values.help) process.stdout.write(`${help}\n`)
else await main()
