import assert from 'node:assert/strict'
import { test } from 'node:test'
import { counter, Health, Metrics, serveOperations } from '../src/index.ts'

/** A server on a free port, and what asks it. */
async function serve() {
  const health = new Health()
  const metrics = new Metrics()
  const server = await serveOperations([{ host: '127.0.0.1', port: 0 }], { health, metrics })
  const base = `http://127.0.0.1:${server.addresses[0]?.port}`
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(base + path, { method })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
  const status = async (path: string) => (await ask(path)).status
  return {
    health,
    metrics,
    ask,
    status,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

test('live, startup and ready follow the life of a process', async () => {
  await using server = await serve()
  const probes = async () => [
    await server.status('/healthz/live'),
    await server.status('/healthz/startup'),
    await server.status('/healthz/ready'),
  ]
  assert.deepEqual(await probes(), [200, 503, 503])
  server.health.started()
  assert.deepEqual(await probes(), [200, 200, 200])
  server.health.draining()
  assert.deepEqual(await probes(), [200, 200, 503])
  server.health.started()
  assert.deepEqual(await probes(), [200, 200, 503])
})

test('a failed check makes a process not ready, says why, and does not have it restarted', async () => {
  await using server = await serve()
  let trouble: string | undefined = 'no connection'
  server.health.addCheck('redis', () => trouble)
  server.health.addCheck('storage', () => {
    throw new Error('disk full')
  })
  server.health.started()
  const { status, text } = await server.ask('/healthz/ready')
  assert.equal(status, 503)
  assert.deepEqual(JSON.parse(text), {
    status: 'failed',
    problems: { redis: 'no connection', storage: 'disk full' },
  })
  assert.equal(await server.status('/healthz/live'), 200)
  trouble = undefined
  const later = JSON.parse((await server.ask('/healthz/ready')).text)
  assert.deepEqual(later.problems, { storage: 'disk full' })
})

test('a check that does not answer counts as failed', async (t) => {
  const health = new Health()
  health.addCheck('redis', () => new Promise(() => {}))
  health.started()
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const report = health.probe('ready')
  t.mock.timers.tick(2_000)
  assert.deepEqual(await report, { ok: false, problems: { redis: 'no answer within 2000 ms' } })
})

test('many who ask at once cause one round of checks', async () => {
  const health = new Health()
  let rounds = 0
  health.addCheck('redis', async () => {
    rounds++
    return undefined
  })
  health.started()
  await Promise.all([health.probe('ready'), health.probe('ready'), health.probe('ready')])
  assert.equal(rounds, 1)
})

test('metrics are served in the text format of Prometheus', async () => {
  await using server = await serve()
  server.metrics.declare('xmpp', { routed: counter('Stanzas routed.') }).routed.inc()
  const { status, headers, text } = await server.ask('/metrics?x=1')
  assert.equal(status, 200)
  assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  assert.match(text, /^xmpp_routed_total 1$/m)
})

test('nothing else is served', async () => {
  await using server = await serve()
  assert.equal(await server.status('/'), 404)
  assert.equal((await server.ask('/metrics', 'POST')).status, 405)
})

test('an address that cannot be had leaves none of the others open', async () => {
  const parts = { health: new Health(), metrics: new Metrics() }
  await using first = await serveOperations([{ host: '127.0.0.1', port: 0 }], parts)
  const taken = first.addresses[0]?.port ?? 0
  const probe = await serveOperations([{ host: '127.0.0.1', port: 0 }], parts)
  const free = probe.addresses[0]?.port ?? 0
  await probe[Symbol.asyncDispose]()
  const addresses = [free, taken].map((port) => ({ host: '127.0.0.1', port }))
  await assert.rejects(serveOperations(addresses, parts), { code: 'EADDRINUSE' })
  await using again = await serveOperations([{ host: '127.0.0.1', port: free }], parts)
  assert.equal(again.addresses[0]?.port, free)
})
