import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { count, duration, loadConfig, parseFlags, type Secret, shiftPorts } from '../src/index.ts'
import { folderWith, problemsOf } from './fixture.ts'

const load = (text: string, environment: Record<string, string> = {}) =>
  loadConfig({ text, environment }).config

test('nothing at all is a configuration for localhost', () => {
  const config = load('')
  assert.deepEqual(Object.keys(config.hosts), ['localhost'])
  assert.equal(config.hosts.localhost?.registration.policy, 'closed')
  assert.deepEqual(config.listen.c2s, [{ host: undefined, port: 5222 }])
  assert.deepEqual(config.listen.metrics, [{ host: '127.0.0.1', port: 9090 }])
  assert.equal(config.bus.url, 'memory')
  assert.equal(config.limits.stanzaBytes, 262_144)
  assert.equal(config.cluster.heartbeat, 3_000)
})

test('hosts without a single one is localhost too', () => {
  assert.deepEqual(Object.keys(load('hosts: {}').hosts), ['localhost'])
})

test('the file of the design is understood', () => {
  const config = load(`
hosts:
  example.test: { registration: { policy: open } }
  guests.example.test: { auth: { anonymous: true } }
  plain.example.test:
admins: [juliet@example.test]
listen:
  c2s: [127.0.0.1:15222, "[::1]:15222"]
  component: off
tls: { required: true }
storage: { url: postgres://localhost/tactus, durability: strict }
bus: { url: redis://localhost }
limits: { rates: off, stanzaBytes: 64KiB }
cluster: { id: verona, partitions: 16, secret: montague, heartbeat: 500ms }
modules: { carbons: { anything: [goes] } }
log: { level: debug, format: json }
`)
  assert.equal(config.hosts['example.test']?.registration.policy, 'open')
  assert.equal(config.hosts['guests.example.test']?.auth.anonymous, true)
  assert.equal(config.hosts['plain.example.test']?.auth.anonymous, false)
  assert.deepEqual(config.listen.c2s, [
    { host: '127.0.0.1', port: 15_222 },
    { host: '::1', port: 15_222 },
  ])
  assert.deepEqual(config.listen.component, [])
  assert.equal(config.limits.rates, false)
  assert.equal(config.limits.stanzaBytes, 65_536)
  assert.equal(config.cluster.secret?.reveal(), 'montague')
  assert.deepEqual(JSON.parse(JSON.stringify(config.modules)), { carbons: { anything: ['goes'] } })
})

test('flags stand above the environment, it above the file, the file above the defaults', () => {
  const text = 'storage: { url: /from/file }\nlog: { level: warn }'
  const environment = { TACTUS_STORAGE__URL: '/from/environment' }
  assert.equal(load(text).storage.url, '/from/file')
  assert.equal(load(text, environment).storage.url, '/from/environment')
  const { overrides } = parseFlags(['--data', '/from/flag'])
  const { config } = loadConfig({ text, environment, overrides })
  assert.equal(config.storage.url, '/from/flag')
  assert.equal(config.storage.durability, 'batched')
  assert.equal(config.log.level, 'warn')
})

test('every key has a variable', () => {
  const config = load('hosts: { example.test: }', {
    TACTUS_ADMINS: 'juliet@example.test, romeo@example.test',
    TACTUS_LISTEN__C2S_TLS: '127.0.0.1:1, [::1]:2',
    TACTUS_LISTEN__S2S: 'off',
    TACTUS_LIMITS__STANZA_BYTES: '1MiB',
    TACTUS_LIMITS__CONNECTIONS_PER_IP: '7',
    TACTUS_TLS__REQUIRED: 'no',
    TACTUS_CLUSTER__SECRET: '12345',
    TACTUS_HOSTS__EXAMPLE_TEST__REGISTRATION__POLICY: 'open',
    TACTUS_HOSTS__GUESTS_TEST__AUTH__ANONYMOUS: 'on',
    TACTUS_MODULES__MUC__MAX_ROOMS: '5',
    TACTUS_LIMITS__SEND_QUEUE: '{stanzas: 900}',
  })
  assert.deepEqual(config.admins, ['juliet@example.test', 'romeo@example.test'])
  assert.deepEqual(
    config.listen.c2sTls.map(({ port }) => port),
    [1, 2],
  )
  assert.deepEqual(config.listen.s2s, [])
  assert.equal(config.limits.stanzaBytes, 1_048_576)
  assert.equal(config.limits.connectionsPerIp, 7)
  assert.equal(config.tls.required, false)
  assert.equal(config.cluster.secret?.reveal(), '12345')
  assert.equal(config.hosts['example.test']?.registration.policy, 'open')
  assert.equal(config.hosts['guests.test']?.auth.anonymous, true)
  assert.deepEqual({ ...(config.modules.muc as object) }, { maxRooms: 5 })
  assert.equal(config.limits.sendQueue.stanzas, 900)
  assert.equal(config.limits.sendQueue.bytes, 2_097_152)
})

test('…_FILE names a file that holds the value', (t) => {
  const folder = folderWith(t, { secret: 'capulet\n' })
  const environment = { TACTUS_CLUSTER__SECRET_FILE: join(folder, 'secret') }
  assert.equal(load('', environment).cluster.secret?.reveal(), 'capulet')
})

test('what Kubernetes tells about a service called tactus is no configuration', () => {
  load('', {
    TACTUS_PORT: 'tcp://10.0.0.1:5222',
    TACTUS_PORT_5222_TCP_ADDR: '10.0.0.1',
    TACTUS_SERVICE_HOST: '10.0.0.1',
    TACTUS_SERVICE_PORT_C2S: '5222',
  })
})

test('the file may take variables and files in; what they hold is not read again', (t) => {
  const folder = folderWith(t, { password: 'p${env:NO}\n' })
  const text = `
storage: { url: "postgres://tactus:\${file:${join(folder, 'password')}}@\${env:PGHOST}/tactus" }
log: { level: "\${env:LEVEL}" }
modules: { literal: "$\${env:X}" }`
  const config = load(text, { PGHOST: 'db.example', LEVEL: 'error' })
  assert.equal(config.storage.url, 'postgres://tactus:p${env:NO}@db.example/tactus')
  assert.equal(config.log.level, 'error')
  assert.equal(config.modules.literal, '${env:X}')
})

test('a relative path in the file is relative to the file, elsewhere to the working directory', (t) => {
  const folder = folderWith(t, {
    'tactus.yaml': 'storage: { url: ./db }\ntls: { certificates: certs/x }',
  })
  const file = join(folder, 'tactus.yaml')
  const { config } = loadConfig({ file, environment: {} })
  assert.equal(config.storage.url, join(folder, 'db'))
  assert.equal(config.tls.certificates, join(folder, 'certs/x'))
  const environment = { TACTUS_CONFIG: file, TACTUS_STORAGE__URL: './elsewhere' }
  assert.equal(loadConfig({ environment }).config.storage.url, './elsewhere')
})

test('the default file is read if it is there, and not missed if it is not', (t) => {
  const folder = folderWith(t, { 'tactus.yaml': 'cluster: { id: verona }' })
  const read = (defaultFile: string) => loadConfig({ defaultFile, environment: {} })
  assert.equal(read(join(folder, 'tactus.yaml')).config.cluster.id, 'verona')
  assert.equal(read(join(folder, 'none.yaml')).config.cluster.id, 'tactus')
  assert.equal(read(join(folder, 'none.yaml')).file, undefined)
})

test('modules bring their own schemas, and get their defaults when nobody mentions them', () => {
  const modules = {
    archive: z.object({ retention: duration('7d'), page: count(50, 1, 250) }),
    push: z.strictObject({ url: z.string() }),
  }
  const { config } = loadConfig({ text: '', environment: {}, modules })
  assert.deepEqual(config.modules.archive, { retention: 604_800_000, page: 50 })
  assert.equal(config.modules.push, undefined)
  const environment = { TACTUS_MODULES__ARCHIVE__RETENTION: '1d' }
  const set = loadConfig({ text: '', environment, modules }).config.modules.archive
  assert.deepEqual(set, { retention: 86_400_000, page: 50 })
  assert.deepEqual(problemsOf({ text: 'modules: { archive: { pages: 1 }, muk: {} }', modules }), [
    'tactus.yaml:1:23 modules.archive.pages: unknown key; did you mean "page"?; allowed: retention, page',
    'tactus.yaml:1:35 modules.muk: unknown key; allowed: archive, push',
  ])
})

test('a module may ask for numbers and switches, and still be told by text', () => {
  const modules = {
    roster: z.object({ items: z.number().default(1), open: z.boolean().default(false) }),
  }
  const roster = (text: string, environment: Record<string, string>) =>
    loadConfig({ text, environment, modules }).config.modules.roster
  const variables = { TACTUS_MODULES__ROSTER__ITEMS: '5', TACTUS_MODULES__ROSTER__OPEN: 'on' }
  assert.deepEqual(roster('', variables), { items: 5, open: true })
  const text = 'modules: { roster: { items: "${env:N}", open: true } }'
  assert.deepEqual(roster(text, { N: '7' }), { items: 7, open: true })
})

test('the k-th instance of one file listens 100·k ports higher', () => {
  const config = load('listen: { c2s: [5222, "127.0.0.1:0"], component: off }')
  const { listen } = shiftPorts(config, 2)
  assert.deepEqual(listen.c2s, [
    { host: undefined, port: 5422 },
    { host: '127.0.0.1', port: 0 },
  ])
  assert.deepEqual(listen.component, [])
  assert.equal(listen.metrics[0]?.port, 9290)
  assert.equal(config.listen.metrics[0]?.port, 9090)
  assert.throws(() => shiftPorts(config, 650), {
    exitCode: 78,
    message: /listen\.c2s: instance 650/,
  })
})

test('the command line', () => {
  assert.deepEqual(parseFlags([]), {
    help: false,
    version: false,
    config: undefined,
    overrides: [],
  })
  assert.equal(parseFlags(['--config', 'x.yaml']).config, 'x.yaml')
  assert.equal(parseFlags(['--help']).help, true)
  assert.equal(parseFlags(['-v']).version, true)
  assert.throws(() => parseFlags(['--confg', 'x']), {
    exitCode: 78,
    message: /--confg.*see --help/,
  })
  assert.throws(() => parseFlags(['stray']), { exitCode: 78 })
})

test('a secret in the configuration is not shown by a dump of it', () => {
  const { cluster } = load('cluster: { secret: montague }')
  const secret: Secret | undefined = cluster.secret
  assert(!JSON.stringify({ cluster, secret }).includes('montague'))
})
