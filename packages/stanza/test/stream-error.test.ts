import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseElement, serialize } from '@tactus/xml'
import { StreamError } from '../src/index.ts'

const xmlns = 'urn:ietf:params:xml:ns:xmpp-streams'

describe('RFC 6120 §4.9.2: a stream error', () => {
  test('has a condition', () => {
    assert.equal(
      serialize(new StreamError('not-well-formed').toElement()),
      `<error xmlns='http://etherx.jabber.org/streams'><not-well-formed xmlns='${xmlns}'/></error>`,
    )
  })

  test('may have a text in English and an application condition', () => {
    const application = parseElement(`<a xmlns='urn:example:a'><b/></a>`).getChild('b')
    assert.ok(application)
    const error = new StreamError('policy-violation', 'Too fast.', { application })
    assert.equal(
      serialize(error.toElement()),
      `<error xmlns='http://etherx.jabber.org/streams'><policy-violation xmlns='${xmlns}'/>` +
        `<text xmlns='${xmlns}' xml:lang='en'>Too fast.</text><b xmlns='urn:example:a'/></error>`,
    )
    assert.equal(application.parent?.name, 'a')
  })

  test('§4.9.3.19: see-other-host says which', () => {
    const error = new StreamError('see-other-host', undefined, { otherHost: '[::1]:5222' })
    assert.match(
      serialize(error.toElement()),
      /<see-other-host xmlns='[^']*'>\[::1\]:5222<\/see-other-host>/,
    )
  })

  test('is an exception with a cause', () => {
    const cause = new Error('why')
    const error = new StreamError('reset', undefined, { cause })
    assert.deepEqual([error.name, error.message, error.cause], ['StreamError', 'reset', cause])
  })
})
