import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packPlain } from '@tactus/bus'
import { decodeAnnouncement, encodeAnnouncement } from '../src/proto/announcement.ts'
import { Malformed } from '../src/proto/shape.ts'

test('§3.8: an announcement is read as it was written', () => {
  const instance = { id: 'r1', role: 'router', protocol: 2, info: { host: 'verona' } } as const
  assert.deepEqual(decodeAnnouncement(encodeAnnouncement(instance)), instance)
})

test('§3.8: an instance of a newer release is seen, or it would be judged dead', () => {
  const newer = { id: 'g1', role: 'gateway', protocol: 9, info: {}, weather: ['fair'] }
  const { id, role, protocol } = decodeAnnouncement(packPlain(newer))
  assert.deepEqual([id, role, protocol], ['g1', 'gateway', 9])
})

test('§3.8: what is no announcement is refused', () => {
  for (const damaged of [
    null,
    'r1',
    { id: 7 },
    { id: 'r1', role: 'router', protocol: -1, info: {} },
  ])
    assert.throws(() => decodeAnnouncement(packPlain(damaged)), Malformed)
})
