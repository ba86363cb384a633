import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadConfig } from '@tactus/config'
import { realEnv } from '@tactus/env'
import { createLogger } from '@tactus/telemetry'
import { controlSocketPath, runOnControlSocket, serveControlSocket } from '../src/control-socket.ts'
import { makeFirstAdmin } from '../src/first-admin.ts'
import { startOffline } from '../src/standalone.ts'

/** A server without listeners, in a folder of its own. */
async function offline(t: TestContext, hosts: object = { 'capulet.example': {} }) {
  const folder = mkdtempSync(join(tmpdir(), 'tactus-control-'))
  const text = JSON.stringify({ hosts, storage: { url: folder } })
  const { config } = loadConfig({ text, environment: {} })
  const env = realEnv()
  const log = createLogger({ level: 'error', write: (line) => process.stderr.write(line) })
  const server = await startOffline({ config, env, log, version: 'test' })
  t.after(async () => {
    await server[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })
  return { folder, config, env, commands: server.commands }
}

test('a command runs in the server that holds the folder', async (t) => {
  const { folder, commands } = await offline(t)
  await using _socket = await serveControlSocket(folder, commands)

  const jid = 'juliet@capulet.example'
  const added = await runOnControlSocket(folder, 'user add', { jid, password: 'wherefore' })
  assert.deepEqual(added, { output: { jid } })
  await assert.rejects(runOnControlSocket(folder, 'user add', { jid, password: 'wherefore' }), {
    code: 'conflict',
    message: 'juliet@capulet.example exists already',
  })
})

test('without a server there is no answer, also where one left its socket behind', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tactus-control-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))

  assert.equal(await runOnControlSocket(folder, 'host list', {}), undefined)
  writeFileSync(controlSocketPath(folder), '')
  assert.equal(await runOnControlSocket(folder, 'host list', {}), undefined)
})

test('a socket that a dead server left behind is replaced; whoever may open it is us alone', async (t) => {
  const { folder, commands } = await offline(t)
  writeFileSync(controlSocketPath(folder), '')
  await using _socket = await serveControlSocket(folder, commands)

  assert.equal(statSync(controlSocketPath(folder)).mode & 0o777, 0o600)
  assert.ok(await runOnControlSocket(folder, 'host list', {}))
})

test('a request without end and one that is no JSON are refused, and the next is served', async (t) => {
  const { folder, commands } = await offline(t)
  await using _socket = await serveControlSocket(folder, commands)

  assert.match(await post(folder, '{'), /"error":"internal"/)
  assert.match(await post(folder, 'x'.repeat(1_048_577)), /at most 1048576 bytes/)
  assert.ok(await runOnControlSocket(folder, 'host list', {}))
})

function post(folder: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath: controlSocketPath(folder), method: 'POST' },
      (response) => {
        let text = ''
        response.on('data', (chunk) => {
          text += String(chunk)
        })
        response.on('end', () => resolve(text))
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

test('first administrator: made once, on the first host that has accounts', async (t) => {
  const { commands, config, env } = await offline(t, {
    'guests.example': { auth: { anonymous: true } },
    'capulet.example': {},
  })

  const admin = await makeFirstAdmin(commands, config, env)
  assert.equal(admin?.jid, 'admin@capulet.example')
  assert.match(admin.password, /^[\w-]{16}$/)
  const shown = (await commands.run('user show', { jid: admin.jid })) as { role: string }
  assert.equal(shown.role, 'admin')
  assert.equal(await makeFirstAdmin(commands, config, env), undefined)
})

test('first administrator: none where only guests come', async (t) => {
  const { commands, config, env } = await offline(t, {
    'guests.example': { auth: { anonymous: true } },
  })
  assert.equal(await makeFirstAdmin(commands, config, env), undefined)
})
