import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyRoster, noRelation, relate, relationTo, waitingRequests } from '@tactus/core'
import { parseBareJid } from '@tactus/jid'
import type { Roster } from '@tactus/storage'
import { Stanza } from '@tactus/xml'
import { roomForRequest } from '../../src/presence/requests.ts'
import { storedRequest } from '../../src/presence/wire.ts'

const subscribe = (from: string, content = '') =>
  Stanza.parse(
    `<presence xmlns='jabber:client' type='subscribe' from='${from}' to='juliet@capulet.example'>${content}</presence>`,
  )

/** Requests in the order in which they came, put in by name so that the order of the map is another. */
function rosterWith(...requests: readonly string[]): Roster {
  let roster = emptyRoster
  for (const from of requests.toSorted()) {
    const request = storedRequest(subscribe(from), requests.indexOf(from) * 1_000, 4_096)
    const relation = { ...noRelation, pendingIn: true }
    roster = relate(roster, from, { relation, request, now: 0 }).roster
  }
  return roster
}

const waiting = (roster: Roster): string[] =>
  waitingRequests(roster)
    .map(({ jid }) => jid)
    .sort()
const stranger = parseBareJid('eve@spam.example')

test('RFC 6121 §3.1.3: below the limit all requests are kept', () => {
  const roster = rosterWith('a@spam.example', 'romeo@montague.example')
  assert.equal(roomForRequest(roster, stranger, 3), roster)
})

test('a flood from one domain pushes out its own oldest request first', () => {
  const roster = rosterWith('romeo@montague.example', 'z@spam.example', 'a@spam.example')
  assert.deepEqual(waiting(roomForRequest(roster, stranger, 3)), [
    'a@spam.example',
    'romeo@montague.example',
  ])
})

test('without one of the same domain the oldest of all goes', () => {
  const roster = rosterWith('romeo@montague.example', 'benvolio@montague.example')
  assert.deepEqual(waiting(roomForRequest(roster, stranger, 2)), ['benvolio@montague.example'])
})

test('a contact loses its request, not its place in the roster', () => {
  let roster = rosterWith('romeo@montague.example')
  const relation = { ...relationTo(roster, 'romeo@montague.example'), ask: true }
  roster = relate(roster, 'romeo@montague.example', { relation, request: undefined, now: 5 }).roster
  const trimmed = roomForRequest(roster, stranger, 1)
  assert.deepEqual(relationTo(trimmed, 'romeo@montague.example'), { ...noRelation, ask: true })
  assert.equal(trimmed.version, roster.version)
})

test('RFC 6121 §3.1.3: a request is kept with what is attached to it, and when it came', () => {
  const request = subscribe('a@b.example', "<nick xmlns='http://jabber.org/protocol/nick'>A</nick>")
  const kept = Stanza.parse(storedRequest(request, 0, 4_096))
  assert.ok(kept.hasChild('nick', 'http://jabber.org/protocol/nick'))
  assert.equal(kept.child('delay', 'urn:xmpp:delay')?.attrs.stamp, '1970-01-01T00:00:00.000Z')
})

test('a request that is too large is kept without its luggage', () => {
  const request = subscribe('a@b.example', `<status>${'x'.repeat(5_000)}</status>`)
  const kept = Stanza.parse(storedRequest(request, 0, 4_096))
  assert.deepEqual(
    kept.children.map(({ name }) => name),
    ['delay'],
  )
  assert.equal(kept.type, 'subscribe')
})
