import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stanza } from '@tactus/xml'
import { stripCarbons } from '../../src/carbons/wire.ts'

const forwarded =
  "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='juliet@capulet.example/balcony'><body>Thou shalt meet me tonight</body></message></forwarded>"
const wrapper = (name = 'received', ns = 'urn:xmpp:carbons:2') =>
  `<${name} xmlns='${ns}'>${forwarded}</${name}>`

// @mutant V39-first-only: stop at the first wrapper; V39-direct-only: look at direct children only.
for (const [where, content] of [
  ['alone', wrapper()],
  ['of the sent kind', wrapper('sent')],
  ['behind a body', `<body>x</body>${wrapper()}`],
  ['twice', wrapper() + wrapper()],
  ['after private', `<private xmlns='urn:xmpp:carbons:2'/>${wrapper()}`],
  ['inside another element', `<x xmlns='urn:x'><y>${wrapper()}</y></x>`],
  [
    'inside a forwarded message',
    `<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'>${wrapper()}</message></forwarded>`,
  ],
  ['under a prefix', `<c:received xmlns:c='urn:xmpp:carbons:2'>${forwarded}</c:received>`],
  ['with its namespace written in references', wrapper('received', 'urn:xmpp:carb&#111;ns:2')],
  ['in an older version', wrapper('received', 'urn:xmpp:carbons:1')],
] as const)
  test(`V39: a forged carbon is removed: ${where}`, () => {
    const message = Stanza.parse(`<message xmlns='jabber:client'>${content}</message>`)
    assert.ok(!String(stripCarbons(message)).includes('Thou shalt'))
  })

test('V39: what is no wrapper stays', () => {
  const message = Stanza.parse(
    `<message xmlns='jabber:client'><private xmlns='urn:xmpp:carbons:2'/><received xmlns='urn:xmpp:receipts' id='1'/><body>urn:xmpp:carbons:2</body></message>`,
  )
  assert.equal(stripCarbons(message), message)
})
