import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '@tactus/config'
import { type BareJid, parseBareJid } from '@tactus/jid'
import { configuredAdmins, configuredHosts } from '../src/hosts.ts'

const configOf = (settings: object) =>
  loadConfig({ text: JSON.stringify(settings), environment: {} }).config

test('hosts: those of the configuration, with what the router needs to know of them', () => {
  const hosts = configuredHosts(
    configOf({
      hosts: {
        'open.example': { registration: { policy: 'open' } },
        'guests.example': { auth: { anonymous: true } },
      },
    }),
  )

  assert.deepEqual(hosts.get('open.example'), {
    name: 'open.example',
    anonymous: false,
    registration: 'open',
    modules: {},
    federation: { mode: 'open', domains: [], dialback: [], posh: [], tellsPosh: 0 },
  })
  // Guests are nobody whom another server could hold to account.
  assert.equal(hosts.get('guests.example')?.federation?.mode, 'off')
  assert.equal(hosts.get('guests.example')?.anonymous, true)
  assert.equal(hosts.get('guests.example')?.registration, 'closed')
  assert.equal(hosts.get('verona.example'), undefined)
})

test('admins: by address as it is compared, not as it was written', () => {
  const isAdmin = configuredAdmins(
    configOf({ hosts: { 'a.example': {} }, admins: ['Juliet@A.example'] }),
  )

  assert.equal(isAdmin(parseBareJid('juliet@a.example')), true)
  assert.equal(isAdmin('romeo@a.example' as BareJid), false)
})
