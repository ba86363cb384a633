import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { exchange } from '../src/service-process.ts'
import { clusterServices, ownPostgres, ownRedis, redis } from '../src/services.ts'

const portOf = (url: string): number => Number(new URL(url).port)

const command = async (url: string, text: string): Promise<string> =>
  String((await exchange(portOf(url), Buffer.from(`${text}\r\n`))) ?? 'nothing').trim()

const isAlive = (pid: number): boolean => {
  try {
    // A dead process that nobody has collected yet is still in the list, as a zombie.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

test('one Redis serves all tests of a process', async (t) => {
  if (!(await clusterServices(t))) return
  assert.equal((await redis()).url, (await redis()).url)
})

test('Redis keeps its data and its port when it is killed and started again', async (t) => {
  if (!(await clusterServices(t))) return
  await using server = await ownRedis()
  assert.equal(await command(server.url, 'SET scene balcony'), '+OK')
  assert.equal(
    await command(server.url, 'CONFIG GET maxmemory-policy'),
    '*2\r\n$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction',
  )
  assert.equal(await command(server.url, 'WAITAOF 1 0 1000').then((text) => text.length > 0), true)

  await server.kill('SIGKILL')
  assert.equal(server.pid, undefined)
  assert.equal(await command(server.url, 'PING'), 'nothing')

  await server.restart()
  assert.equal(await command(server.url, 'GET scene'), '$7\r\nbalcony')
})

test('a frozen Redis accepts connections and answers nothing', async (t) => {
  if (!(await clusterServices(t))) return
  await using server = await ownRedis()
  await server.kill('SIGSTOP')
  assert.equal(await command(server.url, 'PING'), 'nothing')
  await server.kill('SIGCONT')
  assert.equal(await command(server.url, 'PING'), '+PONG')
})

test('Postgres comes back after every way to end', { timeout: 120_000 }, async (t) => {
  if (!(await clusterServices(t))) return
  await using server = await ownPostgres()
  for (const mode of ['fast', 'immediate'] as const) {
    await server.stop(mode)
    assert.equal(server.pid, undefined)
    await server.restart()
    assert.notEqual(server.pid, undefined)
  }
  await server.kill('SIGKILL')
  await server.restart()
  assert.notEqual(server.pid, undefined)
})

test('a service does not outlive a process that was killed', async (t) => {
  if (!(await clusterServices(t))) return
  const program = `
    import { ownRedis } from '${new URL('../src/services.ts', import.meta.url)}'
    const server = await ownRedis()
    console.log(server.pid)
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, [
    '--conditions=source',
    '--input-type=module',
    '-e',
    program,
  ])
  const [output] = await once(child.stdout, 'data')
  const pid = Number(String(output))
  assert.equal(isAlive(pid), true)

  child.kill('SIGKILL')
  await once(child, 'exit')
  while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isAlive(pid), false)
})

test('its end is waited for by a process that has nothing else to do', async (t) => {
  if (!(await clusterServices(t))) return
  const program = `
    import { ownRedis } from '${new URL('../src/services.ts', import.meta.url)}'
    const server = await ownRedis()
    await server.kill('SIGKILL')
    await server.restart()
    await server[Symbol.asyncDispose]()
    console.log('gone')`
  const args = ['--conditions=source', '--input-type=module', '-e', program]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(stdout, 'gone\n', stderr)
})

/** Runs a test file of one test in a process that finds no programs, and returns what it prints. */
function runWithoutPrograms(environment: Record<string, string>): string {
  const program = `
    import { test } from 'node:test'
    import { clusterServices } from '${new URL('../src/services.ts', import.meta.url)}'
    test('cluster', async (t) => { await clusterServices(t) })`
  const args = ['--conditions=source', '--test-reporter=tap', '--input-type=module', '-e', program]
  return spawnSync(process.execPath, args, { env: environment, encoding: 'utf8' }).stdout
}

test('what is missing is told with the line that installs it', () => {
  const output = runWithoutPrograms({ PATH: '/nonexistent' })
  assert.match(output, /ok 1 - cluster # SKIP needs Redis and Postgres: .*apt-get install/)
})

test('REQUIRE_CLUSTER=1 turns such a skip into a failure', () => {
  const output = runWithoutPrograms({ PATH: '/nonexistent', REQUIRE_CLUSTER: '1' })
  assert.match(output, /not ok 1 - cluster/)
})
