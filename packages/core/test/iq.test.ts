import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stanza } from '@tactus/xml'
import { checkIq } from '../src/account-iq.ts'
import { IqDispatch } from '../src/iq-dispatch.ts'

const iq = (text: string): Stanza => Stanza.parse(Buffer.from(text), 'jabber:client')
const query = "<query xmlns='urn:example'/>"

for (const [what, text] of [
  ['without an id', `<iq type='get'>${query}</iq>`],
  ['without a type', `<iq id='1'>${query}</iq>`],
  ['of an unknown type', `<iq id='1' type='ask'>${query}</iq>`],
  ['a get without a child', "<iq id='1' type='get'/>"],
  ['a set with two children', `<iq id='1' type='set'>${query}${query}</iq>`],
  ['a result with two children', `<iq id='1' type='result'>${query}${query}</iq>`],
] as const)
  test(`RFC 6120 §8.2.3: an iq ${what} is a bad request`, () => {
    assert.throws(() => checkIq(iq(text)), { condition: 'bad-request' })
  })

for (const text of [
  `<iq id='1' type='get'>${query}</iq>`,
  `<iq id='1' type='set'>${query}</iq>`,
  "<iq id='1' type='result'/>",
  `<iq id='1' type='result'>${query}</iq>`,
  `<iq id='1' type='error'>${query}<error type='cancel'/></iq>`,
])
  test(`RFC 6120 §8.2.3: ${text} is well`, () => {
    checkIq(iq(text))
  })

test('a handler is found by type, target, namespace and name, all of them', () => {
  const dispatch = new IqDispatch()
  const handler = () => undefined
  dispatch.registry('ping').get('account', 'urn:example', 'query', handler)

  assert.equal(dispatch.find('get', 'account', 'urn:example', 'query'), handler)
  assert.equal(dispatch.find('set', 'account', 'urn:example', 'query'), undefined)
  assert.equal(dispatch.find('get', 'domain', 'urn:example', 'query'), undefined)
  assert.equal(dispatch.find('get', 'account', 'urn:other', 'query'), undefined)
  assert.equal(dispatch.find('get', 'account', 'urn:example', 'ask'), undefined)
})

test('two handlers for the same are refused at boot, naming both modules', () => {
  const dispatch = new IqDispatch()
  dispatch.registry('ping').set('domain', 'urn:example', 'query', () => undefined)
  assert.throws(
    () => dispatch.registry('pong').set('domain', 'urn:example', 'query', () => undefined),
    /modules ping and pong both handle iq set domain query urn:example/,
  )
})
