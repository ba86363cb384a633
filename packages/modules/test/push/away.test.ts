import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Scope, Session } from '@tactus/core'
import { isAway } from '../../src/push/notifier.ts'

const node = { id: 'i', service: 'push.example', node: 'n', options: [], resource: 'phone' }
type Link = Pick<Session, 'attached' | 'active' | 'stalled'>

/** An account with these resources, as far as it matters. */
function account(resources: Readonly<Record<string, Link>>): Scope {
  return {
    session: (resource: string) => resources[resource],
    sessions: () => Object.values(resources),
  } as unknown as Scope
}

const there: Link = { attached: true, active: true, stalled: false }

for (const [what, phone, away] of [
  ['a connection', there, false],
  ['one that says that nobody looks at it', { ...there, active: false }, false],
  ['one whose socket takes nothing', { ...there, stalled: true }, false],
  ['one of which both is true', { attached: true, active: false, stalled: true }, true],
  ['a session that waits to be resumed', { ...there, attached: false }, true],
] as const)
  test(`XEP-0357 §7: ${what} is ${away ? 'not there' : 'there'}`, () => {
    assert.equal(isAway(account({ phone }), node, { otherDevices: true }), away)
    // Another device says nothing of this one, unless the settings say so.
    const both = account({ phone, desk: there })
    assert.equal(isAway(both, node, { otherDevices: true }), away)
    assert.equal(isAway(both, node, { otherDevices: false }), false)
  })

test('XEP-0357 §7: a resource that is not bound is not there', () => {
  assert.equal(isAway(account({}), node, { otherDevices: true }), true)
  assert.equal(isAway(account({ desk: there }), node, { otherDevices: true }), true)
})
