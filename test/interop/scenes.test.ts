import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { clusterServices, hasClients, storyHosts, TestServer } from '@tactus/testkit'

const domain = 'montague.example'
const password = 'wherefore'
const folder = join(import.meta.dirname, 'scenes')
/** One host offers what the other does not. */
const modules = {
  'user-search': { enabled: true },
  'external-services': {
    services: [
      { type: 'stun', host: 'stun.example', port: 3_478 },
      { type: 'turn', host: 'turn.example', port: 3_478, secret: 'north' },
    ],
  },
}
const settings = {
  tls: { required: true, certificates: './certs' },
  hosts: { ...storyHosts, [domain]: { ...storyHosts[domain], modules } },
}

/** Every scene is a program on slixmpp with three accounts of its own; the nurse administers the host. */
async function playAll(context: TestContext, server: TestServer): Promise<void> {
  const doors = server.doors.map(({ ready }) => `127.0.0.1:${ready.ports.c2s?.[0]}`).join(',')
  const data = join(server.configuration.folder, 'data', 'certificates')
  for (const file of globSync('*.py', { cwd: folder }).toSorted()) {
    const scene = basename(file, '.py')
    if (scene === 'stage') continue
    await context.test(scene, async () => {
      for (const name of ['juliet', 'romeo', 'nurse'])
        await server.addUser(`${scene}-${name}@${domain}`, password)
      await server.command('user role', { jid: `${scene}-nurse@${domain}`, role: 'admin' })
      const given = [doors, domain, password, join(data, `${domain}.crt`), scene]
      const told = await promisify(execFile)('/usr/bin/python3', [join(folder, file), ...given], {
        timeout: 60_000,
        env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
      }).catch((error: Error & { stderr: string }) => error)
      assert(!(told instanceof Error), told.stderr)
    })
  }
}

test('scenes with slixmpp on a standalone server', async (context) => {
  if (!hasClients(context, 'python3-slixmpp')) return
  await using server = await TestServer.standalone(settings)
  await playAll(context, server)
})

test('scenes with slixmpp whose clients are on different connection managers', async (context) => {
  if (!hasClients(context, 'python3-slixmpp')) return
  const services = await clusterServices(context)
  if (!services) return
  await using server = await TestServer.cluster(services, settings)
  await playAll(context, server)
})
