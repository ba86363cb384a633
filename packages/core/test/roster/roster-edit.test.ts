import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Roster } from '@tactus/storage'
import {
  changesSince,
  describeItem,
  emptyRoster,
  isListed,
  listedItems,
  relate,
  relationTo,
  removalsKept,
  removeItem,
  waitingRequests,
} from '../../src/roster/roster-edit.ts'
import { noRelation } from '../../src/roster/subscription.ts'

const romeo = 'romeo@montague.example'
const request = new Uint8Array([1])
const add = (roster: Roster, jid: string, now: number): Roster =>
  describeItem(roster, { jid, name: undefined, groups: [] }, now).roster
const describeChanges = (roster: Roster, since: number): string[] | undefined =>
  changesSince(roster, since, 1)?.map((change) =>
    'item' in change ? `+${change.item.jid}` : `-${change.removed}`,
  )

test('RFC 6121 §2.6: every change raises the version, even when the clock stands or runs back', () => {
  const first = add(emptyRoster, 'a@x.example', 100)
  const second = add(first, 'b@x.example', 100)
  const third = add(second, 'c@x.example', 50)
  assert.deepEqual([first.version, second.version, third.version], [100, 101, 102])
})

test('RFC 6121 §3.1.3: a mere request is not an item that clients see', () => {
  const relation = { ...noRelation, pendingIn: true }
  const { roster, changed } = relate(emptyRoster, romeo, { relation, request, now: 5 })
  assert.equal(changed, undefined)
  assert.equal(roster.version, 0)
  assert.deepEqual(listedItems(roster), [])
  assert.equal(waitingRequests(roster).length, 1)
})

test('RFC 6121 §3.1.5: it becomes one when the request is granted', () => {
  const asked = relate(emptyRoster, romeo, {
    relation: { ...noRelation, pendingIn: true },
    request,
    now: 5,
  }).roster
  const granted = { ...noRelation, subscription: 'from' } as const
  const { roster, changed } = relate(asked, romeo, {
    relation: granted,
    request: undefined,
    now: 6,
  })
  assert.equal(changed?.subscription, 'from')
  assert.equal(changed?.pendingIn, undefined)
  assert.ok(changed && isListed(changed))
  assert.equal(roster.version, 6)
})

test('RFC 6121 §3.2.1: a request that was refused leaves nothing behind', () => {
  const relation = { ...noRelation, pendingIn: true }
  const asked = relate(emptyRoster, romeo, { relation, request, now: 5 }).roster
  const refused = relate(asked, romeo, { relation: noRelation, request: undefined, now: 6 })
  assert.deepEqual(refused, { roster: emptyRoster, changed: undefined })
})

test('RFC 6121 §3.3.2: an item stays when its subscriptions end', () => {
  const listed = add(emptyRoster, romeo, 5)
  const relation = { ...noRelation, ask: true }
  const asked = relate(listed, romeo, { relation, request: undefined, now: 6 }).roster
  const ended = relate(asked, romeo, { relation: noRelation, request: undefined, now: 7 })
  assert.equal(ended.changed?.jid, romeo)
  assert.deepEqual(relationTo(ended.roster, romeo), noRelation)
})

test('RFC 6121 §2.4: a changed name leaves the subscription as it was', () => {
  const relation = { ...noRelation, subscription: 'both' } as const
  const both = relate(emptyRoster, romeo, { relation, request: undefined, now: 5 }).roster
  const named = describeItem(both, { jid: romeo, name: 'Romeo', groups: ['Lovers'] }, 6)
  assert.deepEqual(
    [named.changed?.subscription, named.changed?.name, named.changed?.groups],
    ['both', 'Romeo', ['Lovers']],
  )
  const unnamed = describeItem(named.roster, { jid: romeo, name: undefined, groups: [] }, 7)
  assert.equal(unnamed.changed && 'name' in unnamed.changed, false)
})

test('RFC 6121 §2.6.3: changes come in the order in which they happened', () => {
  let roster = ['a', 'b', 'c', 'd'].reduce(
    (current, name, at) => add(current, `${name}@x.example`, 10 + at),
    emptyRoster,
  )
  roster = removeItem(roster, 'b@x.example', 20)
  roster = describeItem(roster, { jid: 'a@x.example', name: 'A', groups: [] }, 30).roster
  assert.deepEqual(describeChanges(roster, 13), ['-b@x.example', '+a@x.example'])
  assert.deepEqual(describeChanges(roster, 30), [])
})

test('RFC 6121 §2.6.3: a contact that was removed and added again is told once', () => {
  let roster = add(add(emptyRoster, 'a@x.example', 10), 'b@x.example', 11)
  roster = removeItem(roster, 'a@x.example', 12)
  roster = add(roster, 'a@x.example', 13)
  assert.deepEqual(describeChanges(roster, 11), ['+a@x.example'])
})

test('RFC 6121 §2.6.2: the whole roster goes to a client whose version says nothing here', () => {
  const roster = add(add(emptyRoster, 'a@x.example', 100), 'b@x.example', 101)
  assert.equal(changesSince(roster, 200, 1), undefined, 'a version that is not there yet')
  assert.equal(changesSince(roster, 50, 60), undefined, 'one of an earlier account of that name')
})

test('RFC 6121 §2.6.3: the whole roster goes where the changes would be longer', () => {
  let roster = add(emptyRoster, 'a@x.example', 10)
  for (const name of ['b', 'c', 'd']) roster = add(roster, `${name}@x.example`, 11)
  for (const name of ['b', 'c', 'd']) roster = removeItem(roster, `${name}@x.example`, 20)
  assert.equal(changesSince(roster, 11, 1), undefined)
})

test('removals are remembered within bounds, and what was forgotten is known to be unknown', () => {
  let roster = Array.from({ length: 300 }, (_, at) => `${at}@x.example`).reduce(
    (current, jid) => add(current, jid, 10),
    add(emptyRoster, 'a@x.example', 1),
  )
  for (let at = 0; at < removalsKept + 1; at++)
    roster = removeItem(roster, `${at}@x.example`, 1_000)
  assert.equal(roster.removed.size, removalsKept)
  assert.equal(changesSince(roster, 999, 1), undefined)
  assert.equal(describeChanges(roster, roster.version - 2)?.length, 2)
})
