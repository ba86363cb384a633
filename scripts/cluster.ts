import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { loadConfig } from '@tactus/config'
import { run } from '@tactus/telemetry'
import { Member } from './cluster/member.ts'

const help = `Starts a cluster on this machine: connection managers and routers as processes of their own,
on a Redis and a Postgres that are running already.

  npm run cluster -- [--cms N] [--routers N] [--config FILE]

  --cms N         connection managers (default 2); the k-th listens at every port + 100·k
  --routers N     routers (default 2)
  -c, --config    configuration file (default: tactus.yaml, if there is one)

Redis and Postgres are taken from the file (bus.url, storage.url), or from REDIS_URL and DATABASE_URL, or are
redis://127.0.0.1:6379 and postgres://tactus@127.0.0.1:5432/tactus.`

const { values } = parseArgs({
  options: {
    cms: { type: 'string', default: '2' },
    routers: { type: 'string', default: '2' },
    config: { type: 'string', short: 'c' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

/** The environment of the members: what the file does not say about Redis and Postgres. */
function memberEnvironment(file: string | undefined): NodeJS.ProcessEnv {
  const { config } = loadConfig({ file })
  const { REDIS_URL, DATABASE_URL, ...rest } = process.env
  const env = { ...rest }
  if (config.bus.url === 'memory') env.TACTUS_BUS__URL = REDIS_URL ?? 'redis://127.0.0.1:6379'
  if (!config.storage.url.startsWith('postgres'))
    env.TACTUS_STORAGE__URL = DATABASE_URL ?? 'postgres://tactus@127.0.0.1:5432/tactus'
  return env
}

/** Runs the migrations before anything starts; several of them at once would be harmless. */
async function migrate(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const main = new URL('../services/ctl/src/main.ts', import.meta.url).pathname
  const child = spawn(process.execPath, ['--conditions=source', main, ...args, 'migrate'], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const code = await new Promise((resolve) => child.once('exit', resolve))
  if (code !== 0) throw new Error('the database could not be brought up to date')
}

const count = (text: string): number => {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1 || number > 64)
    throw new Error(`--cms and --routers take a number from 1 to 64, not "${text}"`)
  return number
}

async function startCluster(life: Parameters<Parameters<typeof run>[0]>[0]): Promise<void> {
  const args = values.config === undefined ? [] : ['--config', values.config]
  const env = memberEnvironment(values.config)
  await migrate(args, env)
  const names = [
    ...Array.from({ length: count(values.routers) }, (_, k) => ['router', k] as const),
    ...Array.from({ length: count(values.cms) }, (_, k) => ['connection-manager', k] as const),
  ]
  const members = names.map(([role, index]) => life.use(new Member(role, index, args, env)))
  const ready = await Promise.all(members.map((member) => member.ready))
  process.stdout.write(`${JSON.stringify({ event: 'ready', cluster: true, members: ready })}\n`)
  await Promise.all(members.map((member) => member.ended))
  life.stop('every member ended')
}

if (values.help) process.stdout.write(`${help}\n`)
else await run(startCluster, { drainWithin: 60_000 })
