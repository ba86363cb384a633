import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseBareJid } from '@tactus/jid'
import { parseElement, Stanza, xml } from '@tactus/xml'
import {
  errorReply,
  readStanzaError,
  type StanzaCondition,
  StanzaError,
  type StanzaErrorType,
} from '../src/index.ts'

const parse = (text: string): Stanza => Stanza.parse(text, 'jabber:client')
const xmlns = 'urn:ietf:params:xml:ns:xmpp-stanzas'

describe('RFC 6120 §8.3.3: the type of a condition', () => {
  const table: Readonly<Record<StanzaErrorType, readonly StanzaCondition[]>> = {
    auth: ['forbidden', 'not-authorized', 'registration-required', 'subscription-required'],
    cancel: [
      'conflict',
      'feature-not-implemented',
      'gone',
      'internal-server-error',
      'item-not-found',
      'not-allowed',
      'remote-server-not-found',
      'service-unavailable',
      'undefined-condition',
    ],
    continue: [],
    modify: ['bad-request', 'jid-malformed', 'not-acceptable', 'policy-violation', 'redirect'],
    wait: [
      'recipient-unavailable',
      'remote-server-timeout',
      'resource-constraint',
      'unexpected-request',
    ],
  }
  for (const [type, conditions] of Object.entries(table))
    for (const condition of conditions)
      test(`${condition}: ${type}`, () => {
        const reply = errorReply(parse('<message/>'), new StanzaError(condition))
        assert.equal(
          String(reply),
          `<message xmlns='jabber:client' type='error'><error type='${type}'><${condition} xmlns='${xmlns}'/></error></message>`,
        )
      })

  test('another type where it fits better', () => {
    assert.equal(new StanzaError('policy-violation', undefined, { type: 'wait' }).type, 'wait')
  })
})

describe('RFC 6120 §8.3.2: an error element', () => {
  const limit = xml('too-many', { xmlns: 'urn:example:limits' })

  test('has a condition, then a text in English, then an application condition', () => {
    const error = new StanzaError('resource-constraint', 'Too <many>.', { application: limit })
    assert.equal(
      String(errorReply(parse(`<iq type='set' id='1'/>`), error)),
      `<iq xmlns='jabber:client' type='error' id='1'><error type='wait'><resource-constraint xmlns='${xmlns}'/>` +
        `<text xmlns='${xmlns}' xml:lang='en'>Too &lt;many&gt;.</text><too-many xmlns='urn:example:limits'/></error></iq>`,
    )
  })

  test('§8.3.3.5: gone says where to, §8.3.1: by whom', () => {
    const error = new StanzaError('gone', undefined, {
      uri: 'xmpp:new@example.com',
      by: parseBareJid('example.com'),
    })
    assert.equal(
      String(errorReply(parse('<message/>'), error)),
      `<message xmlns='jabber:client' type='error'><error type='cancel' by='example.com'><gone xmlns='${xmlns}'>xmpp:new@example.com</gone></error></message>`,
    )
  })

  test('an application condition may be part of another tree, and stays there', () => {
    const tree = parseElement(`<a xmlns='urn:example:a'><b/></a>`)
    const inner = tree.getChild('b')
    assert.ok(inner)
    const error = new StanzaError('conflict', undefined, { application: inner })
    for (let i = 0; i < 2; i++)
      assert.match(String(errorReply(parse('<message/>'), error)), /<b xmlns='urn:example:a'\/>/)
    assert.equal(inner.parent, tree)
  })

  test('the message of the exception is the text, or the condition', () => {
    assert.equal(new StanzaError('conflict').message, 'conflict')
    assert.equal(new StanzaError('conflict', 'Taken.').message, 'Taken.')
    const cause = new Error('why')
    assert.equal(new StanzaError('conflict', 'Taken.', { cause }).cause, cause)
  })
})

describe('RFC 6120 §8.3.1: answering with an error', () => {
  const error = new StanzaError('service-unavailable')

  test('goes back whence it came, with the id and without the payload', () => {
    const request = parse(
      `<iq type='get' id='a' from='r@m/o' to='m' xml:lang='de'>text<query xmlns='urn:example:q'/></iq>`,
    )
    assert.equal(
      String(errorReply(request, error)),
      `<iq xmlns='jabber:client' type='error' id='a' from='m' to='r@m/o'><error type='cancel'><service-unavailable xmlns='${xmlns}'/></error></iq>`,
    )
  })

  test('keeps the namespace of the stream', () => {
    const reply = errorReply(Stanza.parse(`<message to='a'/>`, 'jabber:server'), error)
    assert.equal(reply?.ns, 'jabber:server')
    assert.equal(reply?.child('error', 'jabber:server')?.attrs.type, 'cancel')
  })

  const silent = [
    `<message type='error'/>`,
    `<presence type='error'/>`,
    `<iq type='error' id='a'/>`,
    `<iq type='result' id='a'/>`,
  ]
  for (const text of silent)
    test(`never answers ${text}`, () => assert.equal(errorReply(parse(text), error), undefined))

  const answered = [`<message type='result'/>`, `<presence/>`, `<iq/>`, `<iq type='bogus'/>`]
  for (const text of answered)
    test(`answers ${text}`, () => assert.equal(errorReply(parse(text), error)?.type, 'error'))
})

describe('RFC 6120 §8.3: reading the error of another entity', () => {
  const read = (content: string) => readStanzaError(parse(`<iq type='error'>${content}</iq>`))

  test('what we write we read', () => {
    const error = new StanzaError('gone', 'Moved.', {
      type: 'modify',
      uri: 'xmpp:a@b',
      application: xml('x', { xmlns: 'urn:example:x' }),
    })
    const reply = errorReply(parse('<message/>'), error)
    assert.ok(reply)
    const again = readStanzaError(reply)
    assert.deepEqual(
      [again?.condition, again?.type, again?.text, again?.uri, again?.application?.name],
      ['gone', 'modify', 'Moved.', 'xmpp:a@b', 'x'],
    )
  })

  test('an unknown condition is undefined-condition, an unknown type the usual one', () => {
    const error = read(`<error type='bogus'><payment-required xmlns='${xmlns}'/></error>`)
    assert.deepEqual([error?.condition, error?.type], ['undefined-condition', 'cancel'])
    const proto = read(`<error><constructor xmlns='${xmlns}'/></error>`)
    assert.equal(proto?.condition, 'undefined-condition')
  })

  test('a condition counts in its own namespace only', () => {
    const error = read(`<error><conflict xmlns='urn:example:x'/></error>`)
    assert.deepEqual(
      [error?.condition, error?.application?.name],
      ['undefined-condition', 'conflict'],
    )
  })

  test('without <error/>, or in no error stanza, there is none', () => {
    assert.equal(read(''), undefined)
    assert.equal(readStanzaError(parse(`<message><error/></message>`)), undefined)
  })
})
