import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stanza } from '@tactus/xml'
import { isEligible } from '../../src/carbons/eligibility.ts'

const message = (type: string, content: string): Stanza =>
  Stanza.parse(`<message xmlns='jabber:client'${type && ` type='${type}'`}>${content}</message>`)
const body = '<body>Wherefore?</body>'
const room = (content = '') => `<x xmlns='http://jabber.org/protocol/muc#user'>${content}</x>`
const mediated = room("<invite from='juliet@capulet.example'/>")
const state = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"

for (const [rule, type, content, received, sent] of [
  ['§6.1: a chat message', 'chat', body, true, true],
  ['§6.1: a chat message without a body', 'chat', '', true, true],
  ['§6.1: a normal message with a body', '', body, true, true],
  ['§6.1: a normal message without one', 'normal', "<x xmlns='urn:x'/>", false, false],
  ['§6.1: a chat state', '', state, true, true],
  ['§6.1: a receipt', '', "<received xmlns='urn:xmpp:receipts' id='1'/>", true, true],
  ['§6.1: a marker', '', "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", true, true],
  ['§6.1: a headline', 'headline', body, false, false],
  ['§6.1: what a room says', 'groupchat', body, false, false],
  ['§6.1: a chat state in a room', 'groupchat', state, false, false],
  ['§6.1: a direct invitation', '', "<x xmlns='jabber:x:conference' jid='a@b'/>", true, true],
  ['§6.1: a mediated invitation', '', mediated, true, true],
  ['§6.1: a private message of a room', 'chat', body + room(), false, true],
  ['§6.1: an error that answers nothing', 'error', body, false, false],
  ['§9: private', 'chat', `${body}<private xmlns='urn:xmpp:carbons:2'/>`, false, false],
  ['§9: no-copy', 'chat', `${body}<no-copy xmlns='urn:xmpp:hints'/>`, false, false],
  [
    '§9: private, though an invitation',
    '',
    `${mediated}<private xmlns='urn:xmpp:carbons:2'/>`,
    false,
    false,
  ],
] as const)
  test(`XEP-0280 ${rule}`, () => {
    const stanza = message(type, content)
    assert.equal(
      isEligible(stanza, 'received', () => false),
      received,
    )
    assert.equal(
      isEligible(stanza, 'sent', () => false),
      sent,
    )
  })

test('XEP-0280 §6.1: an error is copied where what it answers was', () => {
  const error = message('error', '')
  assert.equal(
    isEligible(error, 'received', () => true),
    true,
  )
})
