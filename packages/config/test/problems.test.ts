import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { problemsOf } from './fixture.ts'

test('everything that is wrong is told at once, each with its place', () => {
  const text = `hosts:
  example.test: { registration: { policy: opne } }
  "bad host": {}
admins: [juliet]
listen:
  c2s: abc
  c2sTsl: 127.0.0.1:15223
tls: no
limits: { stanzaBytes: 5, connectionsPerIp: x, rates: perhaps }
cluster: { partitions: 0, heartbeat: 3, secret: [1] }
`
  const environment = { TACTUS_LISTEN__HTTP: 'nope', TACTUS_LISTEN__C2: '1', TACTUS_LOG: '{' }
  const address =
    'expected a port or an address such as 5222, 127.0.0.1:5222 or [::1]:5222, a list, or off'
  assert.deepEqual(problemsOf({ text, environment }).toSorted(), [
    'TACTUS_LISTEN__C2: unknown key; did you mean TACTUS_LISTEN__C2S?',
    `TACTUS_LISTEN__HTTP listen.http: ${address}, found "nope"`,
    'TACTUS_LOG log: expected YAML, such as {key: value} or [one, two]',
    'tactus.yaml:10:24 cluster.partitions: expected a whole number from 1 to 4096, found 0',
    'tactus.yaml:10:38 cluster.heartbeat: expected a duration such as 30s, 10m or 1h30m, found 3',
    'tactus.yaml:10:49 cluster.secret: expected a secret, as text, found a list',
    'tactus.yaml:2:43 hosts.example.test.registration.policy: expected one of the allowed words, found "opne"; allowed: closed, open; did you mean "open"?',
    'tactus.yaml:3:3 hosts: expected a domain such as example.org, found "bad host"',
    'tactus.yaml:4:10 admins.0: expected a bare JID such as juliet@example.org, found "juliet"',
    `tactus.yaml:6:8 listen.c2s: ${address}, found "abc"`,
    'tactus.yaml:7:3 listen.c2sTsl: unknown key; did you mean "c2sTls"?; allowed: c2s, c2sTls, s2s, s2sTls, component, http, https, metrics',
    'tactus.yaml:8:6 tls: expected a section, found "no"',
    'tactus.yaml:9:24 limits.stanzaBytes: expected a size such as 256KiB or 262144, at least 10000, found 5',
    'tactus.yaml:9:45 limits.connectionsPerIp: expected a whole number from 1 on, found "x"',
    'tactus.yaml:9:55 limits.rates: expected on or off, found "perhaps"',
  ])
})

test('a file that is not YAML is told with line and column', () => {
  const [first] = problemsOf({ text: 'hosts:\n  a.test: {\nlog: [' })
  assert.match(first ?? '', /^tactus\.yaml:3:\d+: /)
})

test('a key that is written twice is an error', () => {
  const [first] = problemsOf({ text: 'log: { level: info }\nlog: { level: warn }' })
  assert.match(first ?? '', /^tactus\.yaml:2:1: Map keys must be unique/)
})

test('a file that holds no sections is refused', () => {
  const problems = problemsOf({ text: 'hosts' })
  assert.deepEqual(problems, ['tactus.yaml: expected "key: value" lines'])
})

test('aliases that would grow to gigabytes are refused', () => {
  const levels = ['a0: &a0 [x]']
  for (let level = 1; level < 12; level++)
    levels.push(
      `a${level}: &a${level} [${Array(9)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    )
  const [first] = problemsOf({ text: levels.join('\n') })
  assert.match(first ?? '', /alias/i)
})

test('a name that would be special to JavaScript is an unknown key like any other', () => {
  const problems = problemsOf({ text: '"__proto__": { polluted: yes }\nconstructor: {}' })
  assert.equal(problems.length, 2)
  for (const problem of problems) assert.match(problem, /unknown key; allowed: hosts/)
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
})

test('a file that was asked for must be there', () => {
  assert.deepEqual(problemsOf({ file: '/nonexistent/tactus.yaml' }), [
    '/nonexistent/tactus.yaml: cannot read the configuration: it does not exist',
  ])
})

test('a variable or a file that is taken in must be there', () => {
  const text =
    'cluster: { secret: "${file:/nonexistent}", id: "${env:MISSING}" }\nbus: { url: "${x}" }'
  assert.deepEqual(problemsOf({ text }), [
    'tactus.yaml:1:20 cluster.secret: cannot read /nonexistent: it does not exist',
    'tactus.yaml:1:48 cluster.id: the environment variable MISSING is not set',
    'tactus.yaml:2:13 bus.url: expected ${env:NAME} or ${file:/path}, found ${x}',
  ])
  assert.deepEqual(problemsOf({ environment: { TACTUS_CLUSTER__SECRET_FILE: '/nonexistent' } }), [
    'TACTUS_CLUSTER__SECRET_FILE: cannot read /nonexistent: it does not exist',
  ])
})

test('SECURITY: no message repeats a secret', () => {
  const problems = problemsOf({
    text: 'cluster: { secret: { wherefore: art } }\nstorage: { urll: "postgres://x:wherefore@h" }',
  })
  assert.equal(problems.length, 2)
  for (const problem of problems) assert(!problem.includes('wherefore'), problem)
})

test('what a host says otherwise of a module is held against that module', () => {
  const modules = { muc: z.strictObject({ subdomain: z.string().default('conference') }) }
  const text = `hosts:
  a.test: { modules: { muc: { subdomain: rooms } } }
  b.test: { modules: { muc: { subdomain: 5 }, mcu: {} } }
`
  const problems = problemsOf({ text, modules })
  assert.equal(problems.length, 2, problems.join('\n'))
  assert.match(problems[0] ?? '', /^tactus\.yaml:3:\d+ hosts\.b\.test\.modules\.muc\.subdomain: /)
  assert.match(problems[1] ?? '', /hosts\.b\.test\.modules\.mcu: .*no such module/)
})
