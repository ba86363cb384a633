import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Deed, deeds } from './nemesis.ts'
import { isRemoteGood, type RemoteName, remotes, renderRemote, runRemoteChaos } from './remote.ts'
import { isGood, render } from './report.ts'
import { runChaos } from './run.ts'

const help = `Runs a cluster of its own under load, kills and freezes its parts, and checks every message.

  npm run chaos -- [--minutes N] [--seed S] [--clients N] [--rate N] [--only DEED,…] [--json FILE]

  --minutes N     how long to do harm (default 5)
  --seed S        what is done, in which order (default: another each time, which is printed)
  --clients N     sessions (default 60)
  --rate N        messages per second, all together (default 150)
  --only DEED,…   some of: ${deeds.join(', ')}
  --json FILE     write the report there as well
  --remote N      instead: talk to other servers, and kill N times whoever has the stream to one
                  (--only: some of ${remotes.join(', ')})`

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    clients: { type: 'string', default: '60' },
    rate: { type: 'string', default: '150' },
    only: { type: 'string' },
    json: { type: 'string' },
    remote: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

function only<Name extends string>(all: readonly Name[]): readonly Name[] {
  const names = (values.only ?? all.join(',')).split(',').map((name) => name.trim())
  const found = all.filter((each) => names.some((name) => each.startsWith(name)))
  if (found.length === 0) throw new Error(`--only takes some of: ${all.join(', ')}`)
  return found
}

async function main(): Promise<void> {
  // So that what happens at the end of a process happens: nothing that it started stays behind.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  if (values.remote !== undefined) return await remote(Number(values.remote))
  const report = await runChaos({
    seed: Number(values.seed ?? Date.now() % 1_000_000),
    minutes: Number(values.minutes),
    clients: Number(values.clients),
    rate: Number(values.rate),
    only: only<Deed>(deeds),
    say,
  })
  say(render(report))
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
  if (!isGood(report)) process.exitCode = 1
}

async function remote(kills: number): Promise<void> {
  const report = await runRemoteChaos({ kills, rate: 40, with: only<RemoteName>(remotes), say })
  say(renderRemote(report))
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
  if (!isRemoteGood(report)) process.exitCode = 1
}

if (values.help) say(help)
else await main()
