import assert from 'node:assert/strict'
import { test } from 'node:test'
import { booleanField } from '@tactus/stanza'
import { RoomsRegistry } from '../src/rooms.ts'

const field = { kind: booleanField, label: 'x', initial: false }

test('features of rooms come from several modules, in the order in which they were added', () => {
  const rooms = new RoomsRegistry()
  rooms.feature({ name: 'voice', fields: { 'muc#roomconfig_moderatedroom': field } })
  rooms.feature({ name: 'weather' })
  assert.deepEqual(
    rooms.features().map(({ name }) => name),
    ['voice', 'weather'],
  )
})

test('two features of one name, or with one field, are refused at boot', () => {
  const rooms = new RoomsRegistry()
  rooms.feature({ name: 'voice', fields: { 'muc#roomconfig_moderatedroom': field } })
  assert.throws(() => rooms.feature({ name: 'voice' }), /two modules add the feature voice/)
  assert.throws(
    () => rooms.feature({ name: 'mute', fields: { 'muc#roomconfig_moderatedroom': field } }),
    /voice and mute both add the field muc#roomconfig_moderatedroom/,
  )
})
