import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  configEntries,
  configSchema,
  describeConfig,
  loadConfig,
  renderJsonSchema,
  showConfig,
} from '../src/index.ts'

const text =
  'cluster: { secret: montague }\nstorage: { url: "postgres://x:capulet@h/db" }\nlisten: { c2s: [5222, "[::1]:5223"] }'

test('what is in force is shown with where it was said', () => {
  const entries = configEntries(
    loadConfig({ text, environment: { TACTUS_LIMITS__STANZA_BYTES: '65536' } }),
  )
  const entry = (path: string) => entries.find((item) => item.path === path)
  assert.deepEqual(entry('listen.c2s'), {
    path: 'listen.c2s',
    value: '5222, [::1]:5223',
    origin: 'tactus.yaml:3:16',
  })
  assert.deepEqual(entry('limits.stanzaBytes'), {
    path: 'limits.stanzaBytes',
    value: '64KiB',
    origin: 'TACTUS_LIMITS__STANZA_BYTES',
  })
  assert.deepEqual(entry('limits.rates'), { path: 'limits.rates', value: 'on', origin: 'default' })
  assert.equal(entry('hosts.localhost.auth.anonymous')?.value, 'off')
})

test('SECURITY: what is shown holds no secret and no password', () => {
  const shown = showConfig(loadConfig({ text, environment: {} }))
  assert.match(shown, /^cluster\.secret: \[secret\] +# tactus\.yaml:1:20$/m)
  assert.match(shown, /^storage\.url: postgres:\/\/x:\*+@h\/db/m)
  assert.doesNotMatch(shown, /montague|capulet/)
})

test('a section that a variable replaces is shown as coming from there, whole', () => {
  const environment = { TACTUS_LISTEN: '{c2s: 1}' }
  const entries = configEntries(loadConfig({ text, environment }))
  assert.equal(entries.find(({ path }) => path === 'listen.c2s')?.origin, 'TACTUS_LISTEN')
})

test('every key is described, and knows its variable and its default', () => {
  const keys = describeConfig(configSchema)
  assert.deepEqual(
    keys.filter(({ description }) => description === '').map(({ path }) => path),
    [],
  )
  const heartbeat = keys.find(({ path }) => path === 'cluster.heartbeat')
  assert.equal(heartbeat?.variable, 'TACTUS_CLUSTER__HEARTBEAT')
  assert.equal(heartbeat?.fallback, '3s')
})

test('the JSON schema is about what may be written, not what it becomes', () => {
  const schema = renderJsonSchema(configSchema) as {
    properties: Record<string, { properties: Record<string, Record<string, unknown>> }>
    additionalProperties: boolean
  }
  assert.equal(schema.additionalProperties, false)
  const heartbeat = schema.properties.cluster?.properties.heartbeat
  assert.equal(heartbeat?.type, 'string')
  assert.equal(heartbeat?.default, '3s')
  assert.deepEqual(schema.properties.storage?.properties.durability?.enum, ['batched', 'strict'])
})
