import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Stanza, xml } from '@tactus/xml'
import {
  iqRequest,
  iqResult,
  iqType,
  isRequest,
  isSubscriptionType,
  messageBody,
  messageType,
  presencePriority,
  presenceShow,
  presenceType,
  requestPayload,
} from '../src/index.ts'

const parse = (text: string): Stanza => Stanza.parse(text, 'jabber:client')
const ofType = (name: string, type: string | undefined): Stanza =>
  parse(type === undefined ? `<${name}/>` : `<${name} type='${type}'/>`)

describe('RFC 6121 §5.2.2: the type of a message', () => {
  for (const type of ['chat', 'error', 'groupchat', 'headline', 'normal'])
    test(type, () => assert.equal(messageType(ofType('message', type)), type))
  for (const type of [undefined, '', 'CHAT', 'toString'])
    test(`${type} means normal`, () => assert.equal(messageType(ofType('message', type)), 'normal'))
})

describe('RFC 6121 §5.2.3: the body of a message', () => {
  const bodies: readonly [string, string | undefined][] = [
    ['<body>Art thou not <![CDATA[Romeo]]>?</body>', 'Art thou not Romeo?'],
    [`<body xml:lang='de'>Hallo</body><body>Hello</body>`, 'Hallo'],
    ['<body/>', ''],
    [`<body xmlns='http://www.w3.org/1999/xhtml'>x</body>`, undefined],
    ['', undefined],
  ]
  for (const [content, body] of bodies)
    test(content || 'no child', () =>
      assert.equal(messageBody(parse(`<message>${content}</message>`)), body),
    )
})

describe('RFC 6121 §4.7.1: the type of a presence', () => {
  const subscription = ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed']
  for (const type of [...subscription, 'error', 'probe', 'unavailable'])
    test(type, () => {
      assert.equal(presenceType(ofType('presence', type)), type)
      const known = presenceType(ofType('presence', type))
      assert.equal(isSubscriptionType(known), subscription.includes(type))
    })
  test('none means available', () => {
    assert.equal(presenceType(ofType('presence', undefined)), 'available')
    assert.equal(isSubscriptionType('available'), false)
  })
  for (const type of ['', 'available', 'invisible'])
    test(`${type || 'empty'} does not exist`, () => {
      assert.equal(presenceType(ofType('presence', type)), undefined)
      assert.equal(isSubscriptionType(undefined), false)
    })
})

describe('RFC 6121 §4.7.2: what a presence holds', () => {
  const priorities: readonly [string, number][] = [
    ['', 0],
    ['<priority>5</priority>', 5],
    ['<priority> +127\n</priority>', 127],
    ['<priority>-128</priority>', -128],
    ['<priority>-0</priority>', 0],
    ['<priority>128</priority>', 0],
    ['<priority>-129</priority>', 0],
    ['<priority>1.5</priority>', 0],
    ['<priority>0x5</priority>', 0],
    ['<priority/>', 0],
    [`<priority xmlns='urn:example:x'>5</priority>`, 0],
  ]
  for (const [content, priority] of priorities)
    test(`§4.7.2.3: ${content || 'no priority'} is ${priority}`, () =>
      assert.equal(presencePriority(parse(`<presence>${content}</presence>`)), priority))

  for (const show of ['away', 'chat', 'dnd', 'xa'] as const)
    test(`§4.7.2.1: ${show}`, () =>
      assert.equal(presenceShow(parse(`<presence><show>${show}</show></presence>`)), show))
  for (const content of ['', '<show/>', '<show>busy</show>', `<show xmlns='urn:x'>away</show>`])
    test(`§4.7.2.1: ${content || 'no show'} is plainly available`, () =>
      assert.equal(presenceShow(parse(`<presence>${content}</presence>`)), undefined))
})

describe('RFC 6120 §8.2.3: iq', () => {
  for (const type of ['error', 'get', 'result', 'set'])
    test(`${type} is a type`, () => {
      assert.equal(iqType(ofType('iq', type)), type)
      assert.equal(isRequest(ofType('iq', type)), type === 'get' || type === 'set')
    })
  for (const type of [undefined, '', 'put'])
    test(`${type} is no type`, () => assert.equal(iqType(ofType('iq', type)), undefined))
  test('no message asks for an answer', () =>
    assert.equal(isRequest(ofType('message', 'get')), false))

  test('rule 4: a request has one child, which says what is asked', () => {
    const { name, ns } = requestPayload(
      parse(`<iq type='get' id='a'> <ping xmlns='urn:xmpp:ping'/></iq>`),
    )
    assert.deepEqual([name, ns], ['ping', 'urn:xmpp:ping'])
  })
  for (const text of [
    `<iq type='get'><a xmlns='b'/></iq>`,
    `<iq type='get' id=''><a xmlns='b'/></iq>`,
    `<iq type='set' id='a'/>`,
    `<iq type='set' id='a'>text</iq>`,
    `<iq type='set' id='a'><a xmlns='b'/><a xmlns='b'/></iq>`,
    `<iq type='result' id='a'><a xmlns='b'/></iq>`,
  ])
    test(`${text} is a bad request`, () => {
      assert.throws(() => requestPayload(parse(text)), {
        name: 'StanzaError',
        condition: 'bad-request',
      })
    })

  test('rule 5: a result goes back by the route of the request', () => {
    const request = parse(`<iq type='get' id='a' from='r@m/o' to='m'><a xmlns='b'/></iq>`)
    assert.equal(
      String(iqResult(request)),
      `<iq xmlns='jabber:client' type='result' id='a' from='m' to='r@m/o'/>`,
    )
    assert.equal(
      String(iqResult(request, xml('a', { xmlns: 'b' }, 'c'))),
      `<iq xmlns='jabber:client' type='result' id='a' from='m' to='r@m/o'><a xmlns='b'>c</a></iq>`,
    )
  })

  test('rule 1: a request of our own has an id', () => {
    const push = iqRequest(
      { xmlns: 'jabber:client', type: 'set', id: 'p1', to: 'r@m/o' },
      xml('query', { xmlns: 'jabber:iq:roster' }),
    )
    assert.equal(
      String(push),
      `<iq xmlns='jabber:client' type='set' id='p1' to='r@m/o'><query xmlns='jabber:iq:roster'/></iq>`,
    )
  })
})
