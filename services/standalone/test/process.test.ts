import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Ready, ServerProcess, TestConfiguration } from '@tactus/testkit'

interface Greeting extends Ready {
  readonly admin?: { readonly jid: string; readonly password: string }
}

const script = 'services/standalone/src/main.ts'

function configure(t: TestContext, settings: Readonly<Record<string, unknown>> = {}) {
  const configuration = new TestConfiguration(settings)
  t.after(() => configuration[Symbol.dispose]())
  return configuration
}

function start(t: TestContext, { file }: TestConfiguration): ServerProcess {
  const server = new ServerProcess('standalone', script, ['--config', file])
  t.after(() => server.kill())
  return server
}

test('first start makes an administrator, the second has the same data; Ctrl-C ends it with 0', async (t) => {
  const configuration = configure(t)
  const first = start(t, configuration)
  const greeting = (await first.ready) as Greeting
  assert.equal(greeting.admin?.jid, 'admin@montague.example')
  assert.ok(greeting.ports.c2s?.[0] && greeting.ports.metrics?.[0])
  await configuration.command('user add', { jid: 'romeo@montague.example', password: 'soft!' })
  first.signal('SIGINT')
  assert.equal(await first.exited, 0)

  const second = start(t, configuration)
  const again = (await second.ready) as Greeting
  assert.equal(again.admin, undefined)
  const { users } = (await configuration.command('user list', { host: 'montague.example' })) as {
    users: readonly { readonly jid: string }[]
  }
  assert.deepEqual(
    users.map(({ jid }) => jid),
    ['admin@montague.example', 'romeo@montague.example'],
  )
  second.signal('SIGTERM')
  assert.equal(await second.exited, 0)
})

test('kill -9 leaves nothing behind that hinders the next start', async (t) => {
  const configuration = configure(t)
  const first = start(t, configuration)
  await first.ready
  await configuration.command('user add', { jid: 'romeo@montague.example', password: 'soft!' })
  await first.kill()

  const second = start(t, configuration)
  await second.ready

  await assert.rejects(
    configuration.command('user add', { jid: 'romeo@montague.example', password: 'soft!' }),
    { code: 'conflict' },
  )
})

/** It does not come up, says why in a sentence, and tells supervisors that a person is needed. */
async function refuses(server: ServerProcess, sentence: RegExp): Promise<void> {
  assert.equal(await server.exited, 78)
  assert.match(server.output, sentence)
  assert.doesNotMatch(server.output, /\n +at |process_failed/)
}

test('a port that is taken', async (t) => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  t.after(() => other.close())
  const { port } = other.address() as { port: number }
  const any = '127.0.0.1:0'
  const listen = { c2s: `127.0.0.1:${port}`, c2sTls: any, s2s: any, component: any }

  await refuses(
    start(t, configure(t, { listen: { ...listen, http: any, https: any, metrics: any } })),
    new RegExp(`tactus: 127\\.0\\.0\\.1:${port} is already in use`),
  )
})

test('a folder that cannot be', async (t) => {
  const blocked = configure(t, { storage: { url: './file' } })
  writeFileSync(join(blocked.folder, 'file'), '')
  await refuses(start(t, blocked), /tactus: Cannot use .*file: something else is there/)

  if (process.platform !== 'linux') return
  const readOnly = configure(t, { storage: { url: '/proc/tactus/data' } })
  await refuses(start(t, readOnly), /tactus: Cannot use \/proc\/tactus: /)
})

test('a folder that another server holds', async (t) => {
  const configuration = configure(t)
  await start(t, configuration).ready

  await refuses(start(t, configuration), /tactus: storage\.url: .*data is in use/)
})

test('a key that does not exist', async (t) => {
  const configuration = configure(t)
  writeFileSync(configuration.file, 'hsots: {}')

  await refuses(start(t, configuration), /hsots: unknown key; did you mean "hosts"/)
})
