import { failpointFromEnvironment, flagsHelp, loadConfig, parseFlags } from '@tactus/config'
import { realEnv } from '@tactus/env'
import { dataFolder, moduleSchemas, productVersion } from '@tactus/router'
import { createLogger, type Lifecycle, run } from '@tactus/telemetry'
import { banner, readyLine } from './banner.ts'
import { makeFirstAdmin } from './first-admin.ts'
import { startStandalone } from './standalone.ts'

const help = `Tactus, an XMPP server. Runs everything in one process; data in one folder.

  npm start -- [options]

${flagsHelp}`

const flags = (): ReturnType<typeof parseFlags> => parseFlags(process.argv.slice(2))

async function serve(life: Lifecycle): Promise<void> {
  const { config: file, overrides } = flags()
  const { config } = loadConfig({ file, overrides, modules: moduleSchemas() })
  const version = productVersion()
  const env = realEnv(failpointFromEnvironment())
  // On a terminal the banner says what matters; what happens afterwards is told from warnings on.
  const level = process.stdout.isTTY && config.log.level === 'info' ? 'warn' : config.log.level
  const log = createLogger({ level, format: config.log.format, fields: { service: 'standalone' } })
  life.logTo(log)
  const server = life.use(await startStandalone({ config, env, log, version }))
  life.onDrain((deadline) => server.drain(deadline))
  const admin = await makeFirstAdmin(server.commands, config, env)
  const greeting = { version, config, ports: server.ports, dataFolder: dataFolder(config), admin }
  process.stdout.write(`${process.stdout.isTTY ? banner(greeting) : readyLine(greeting)}\n`)
}

await run(async (life) => {
  const { help: wantsHelp, version } = flags()
  if (!wantsHelp && !version) return await serve(life)
  process.stdout.write(`${wantsHelp ? help : productVersion()}\n`)
  life.stop('told')
})
