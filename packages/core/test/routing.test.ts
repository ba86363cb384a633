import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FullJid } from '@tactus/jid'
import type { MessageType } from '@tactus/stanza'
import { Stanza } from '@tactus/xml'
import { isDurable, isStorable, routeMessage } from '../src/routing.ts'
import type { Session } from '../src/scope.ts'

const parse = (text: string): Stanza => Stanza.parse(Buffer.from(text), 'jabber:client')

/** A resource; without a priority it sent no presence. */
function resource(name: string, priority?: number): Session {
  const presence = { stanza: parse('<presence/>'), priority: priority ?? 0, since: 0 }
  return {
    id: name,
    jid: `juliet@capulet.example/${name}` as FullJid,
    resource: name,
    presence: priority === undefined ? undefined : presence,
    interested: false,
    catchingUp: false,
    attached: true,
    stalled: false,
    active: true,
    invisible: undefined,
    since: 0,
    info: {},
  }
}

const situations: Readonly<Record<string, readonly Session[]>> = {
  nobody: [],
  'negative only': [resource('bot', -1)],
  'one available': [resource('balcony', 0)],
  'several available': [resource('balcony', 0), resource('chamber', 5), resource('bot', -1)],
  'not available': [resource('balcony')],
}

function outcome(type: MessageType, sessions: readonly Session[], to: string | undefined): string {
  const route = routeMessage(type, sessions, to)
  return typeof route === 'string' ? route : route.to.map((session) => session.resource).join(' ')
}

/** RFC 6121 §8.5.2, for the bare JID; `wait` is the RFC's "store offline". */
const toBare: Readonly<Record<string, Readonly<Record<MessageType, string>>>> = {
  nobody: row('wait', 'wait', 'refuse', 'drop', 'drop'),
  'negative only': row('wait', 'wait', 'refuse', 'drop', 'drop'),
  'not available': row('wait', 'wait', 'refuse', 'drop', 'drop'),
  'one available': row('balcony', 'balcony', 'refuse', 'balcony', 'drop'),
  'several available': row(
    'balcony chamber',
    'balcony chamber',
    'refuse',
    'balcony chamber',
    'drop',
  ),
}

/** RFC 6121 §8.5.3.2, for a full JID that nobody has: Table 1, column "no matching resource". */
const toMissing: Readonly<Record<string, Readonly<Record<MessageType, string>>>> = {
  nobody: row('refuse', 'wait', 'refuse', 'drop', 'drop'),
  'negative only': row('refuse', 'wait', 'refuse', 'drop', 'drop'),
  'not available': row('refuse', 'wait', 'refuse', 'drop', 'drop'),
  'one available': row('refuse', 'balcony', 'refuse', 'drop', 'drop'),
  'several available': row('refuse', 'balcony chamber', 'refuse', 'drop', 'drop'),
}

function row(
  normal: string,
  chat: string,
  groupchat: string,
  headline: string,
  error: string,
): Readonly<Record<MessageType, string>> {
  return { normal, chat, groupchat, headline, error }
}

for (const [title, table, to] of [
  ['§8.5.2: to the bare JID', toBare, undefined],
  ['§8.5.3.2: to a resource that is not there', toMissing, 'crypt'],
] as const)
  for (const [situation, expected] of Object.entries(table))
    test(`RFC 6121 ${title}, ${situation}`, () => {
      const sessions = situations[situation] ?? []
      const types = Object.keys(expected) as MessageType[]
      const found = types.map((type) => [type, outcome(type, sessions, to)])
      assert.deepEqual(Object.fromEntries(found), expected)
    })

for (const type of ['normal', 'chat', 'groupchat', 'headline', 'error'] as const)
  test(`RFC 6121 §8.5.3.1: ${type} for a resource that is there, whatever its presence`, () => {
    for (const [name, priority] of [
      ['balcony', 0],
      ['bot', -1],
      ['tomb', undefined],
    ] as const)
      assert.equal(outcome(type, [resource('other', 9), resource(name, priority)], name), name)
  })

const body = '<body>Ay me!</body>'
const state = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
const hint = (name: string): string => `<${name} xmlns='urn:xmpp:hints'/>`
const found = `<result xmlns='urn:xmpp:mam:2' id='1'/>`
const receipt = "<received xmlns='urn:xmpp:receipts' id='m1'/>"

for (const [what, stanza, expected] of [
  ['a chat message with a body', `<message type='chat'>${body}</message>`, true],
  ['a message without a type', `<message>${body}</message>`, true],
  ['a type that is unknown', `<message type='sonnet'>${body}</message>`, true],
  ['groupchat', `<message type='groupchat'>${body}</message>`, false],
  ['a headline', `<message type='headline'>${body}</message>`, false],
  ['an error', `<message type='error'>${body}</message>`, false],
  ['nothing at all', "<message type='chat'/>", false],
  ['a chat state alone', `<message type='chat'>${state}</message>`, false],
  ['a state and a thread', `<message type='chat'>${state}<thread>1</thread></message>`, false],
  ['a receipt', `<message type='chat'>${receipt}</message>`, true],
  ['what is not to be stored', `<message>${body}${hint('no-store')}</message>`, false],
  ['what a room’s archive was asked for', `<message>${found}</message>`, false],
  ['what only looks like it', `<message>${found}${body}</message>`, true],
  ['a state that is to be stored', `<message>${state}${hint('store')}</message>`, true],
] as const)
  test(`XEP-0160 §3, XEP-0334: ${what} is ${expected ? '' : 'not '}kept`, () => {
    assert.equal(isStorable(parse(stanza)), expected)
    assert.equal(isDurable(parse(stanza)), expected)
  })

test('what changes a subscription is durable, other presence and requests are not', () => {
  for (const type of ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed'])
    assert.equal(isDurable(parse(`<presence type='${type}'/>`)), true, type)
  for (const stanza of ['<presence/>', "<presence type='probe'/>", "<iq type='set' id='1'/>"])
    assert.equal(isDurable(parse(stanza)), false, stanza)
})
