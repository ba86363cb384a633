import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jidOfUri, nodeOfUri } from '@tactus/stanza'

test('RFC 5122 §2.2: the address in a URI is percent-encoded, and stands before what is done with it', () => {
  assert.equal(jidOfUri('xmpp:juliet@capulet.example?message;body=hi'), 'juliet@capulet.example')
  assert.equal(jidOfUri('XMPP:n%C3%BArse@capulet.example'), 'núrse@capulet.example')
  for (const none of ['mailto:juliet@capulet.example', 'xmpp:', 'xmpp:%', 'xmpp:@', ''])
    assert.equal(jidOfUri(none), undefined, none)
})

test('XEP-0060 §12.21: a URI names a node, and may say what to do there', () => {
  const node = { jid: 'pubsub.example.org', node: 'the news' }
  assert.deepEqual(nodeOfUri('xmpp:pubsub.example.org?;node=the%20news'), node)
  assert.deepEqual(
    nodeOfUri('xmpp:pubsub.example.org?pubsub;action=subscribe;node=the%20news;item=1#x'),
    node,
  )
  for (const none of [
    'xmpp:pubsub.example.org',
    'xmpp:a?;node=',
    'xmpp:a?;node=%',
    'xmpp:?;node=a',
  ])
    assert.equal(nodeOfUri(none), undefined, none)
})
