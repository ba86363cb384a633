import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { loadConfig } from '@tactus/config'
import { banner, type Greeting, readyLine } from '../src/banner.ts'

const text = 'hosts: { capulet.example: {}, montague.example: {} }'

const greeting: Greeting = {
  version: '1.2.3',
  config: loadConfig({ text, environment: {} }).config,
  ports: { c2s: [5222], c2sTls: [5223, 5224], http: [], metrics: [9090] },
  dataFolder: '/srv/tactus',
  admin: { jid: 'admin@capulet.example', password: 'wherefore' },
}

test('ready line: one line of JSON with what programs need', () => {
  const line = readyLine(greeting)
  assert.ok(!line.includes('\n'))
  assert.deepEqual(JSON.parse(line), {
    event: 'ready',
    version: '1.2.3',
    hosts: ['capulet.example', 'montague.example'],
    ports: greeting.ports,
    admin: greeting.admin,
  })
  assert.ok(!readyLine({ ...greeting, admin: undefined }).includes('admin'))
})

test('banner: where to connect, who administers, what to do next', () => {
  const shown = stripVTControlCharacters(banner(greeting))
  assert.match(shown, /Tactus 1\.2\.3 serves capulet\.example, montague\.example/)
  assert.match(shown, /clients +5222 \(STARTTLS\), 5223, 5224 \(direct TLS\)/)
  assert.match(shown, /web +off \(HTTP\), off \(HTTPS\)/)
  assert.match(shown, /data +\/srv\/tactus/)
  assert.match(shown, /only this once:\n +admin@capulet\.example\n +wherefore\n/)
  assert.match(shown, /tactusctl user add juliet@capulet\.example/)
})

test('banner: nothing of an administrator once there is one', () => {
  const shown = banner({ ...greeting, admin: undefined })
  assert.doesNotMatch(shown, /Administrator|wherefore/)
})

test('banner: no address of metrics where there are none', () => {
  const shown = banner({ ...greeting, ports: { ...greeting.ports, metrics: [] } })
  assert.match(shown, /metrics +off/)
})
