import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { TestServer } from '@tactus/testkit'
import { chart } from './rendering.ts'

const script = readFileSync(join(chart, 'files', 'smoke.mjs'), 'utf8')

/** Runs it as the pod does. */
const smoke = (environment: Readonly<Record<string, string>>) =>
  spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    env: { HOST: '127.0.0.1', DOMAIN: 'montague.example', ...environment },
    encoding: 'utf8',
    timeout: 30_000,
  })

test('`helm test` passes on a server that serves, and fails on one that does not', async () => {
  await using server = await TestServer.standalone({
    tls: { required: true, certificates: './certs' },
  })
  const PORT = String(server.port('c2s', 0))
  const TLS_PORT = String(server.port('c2sTls', 0))
  const { status, stdout, stderr } = smoke({ PORT, TLS_PORT })
  assert.equal(status, 0, stderr)
  assert.match(stdout, /STARTTLS: .* answers\ndirect TLS: .* answers\n/)

  const stranger = smoke({ PORT, TLS_PORT, DOMAIN: 'verona.example' })
  assert.notEqual(stranger.status, 0)
  assert.match(stranger.stderr, /host-unknown/)

  const exchanged = smoke({ PORT: TLS_PORT, TLS_PORT: PORT })
  assert.notEqual(exchanged.status, 0)
})
