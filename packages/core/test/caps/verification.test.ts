import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseElement, Stanza } from '@tactus/xml'
import { verificationText, verifyCaps } from '../../src/caps/verification.ts'
import { readCaps } from '../../src/caps/wire.ts'

const query = (...content: string[]) =>
  parseElement(`<query xmlns='http://jabber.org/protocol/disco#info'>${content.join('')}</query>`)
const features = ['caps', 'disco#info', 'disco#items', 'muc']
  .map((name) => `<feature var='http://jabber.org/protocol/${name}'/>`)
  .join('')
const exodus = "<identity category='client' name='Exodus 0.9.1' type='pc'/>"
const psi = `<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>
  <identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>`
const form = (type: string, ...fields: string[]) =>
  `<x xmlns='jabber:x:data' type='result'>
    <field var='FORM_TYPE' type='hidden'><value>${type}</value></field>${fields.join('')}</x>`
const field = (name: string, ...values: string[]) =>
  `<field var='${name}'>${values.map((value) => `<value>${value}</value>`).join('')}</field>`
const software = form(
  'urn:xmpp:dataforms:softwareinfo',
  field('software_version', '0.11'),
  field('ip_version', 'ipv6', 'ipv4'),
  field('os', 'Mac'),
  field('os_version', '10.5.1'),
  field('software', 'Psi'),
)
const announced = (ver: string, hash: string | undefined = 'sha-1') => ({
  node: 'urn:x',
  ver,
  hash,
})

test('XEP-0115 §5.2: the simple example', () => {
  assert.equal(
    verifyCaps(announced('QgayPKawpkPSDYmwT/WM94uAlu0='), query(exodus, features)),
    'verified',
  )
})

test('XEP-0115 §5.3: the complex example, with identities in two languages and a form', () => {
  assert.equal(
    verifyCaps(announced('q07IKJEyjvHSyhy//CH0CxmKi8w='), query(psi, features, software)),
    'verified',
  )
})

test('XEP-0115 §5.4, rule 3.7: another answer than was announced is forged', () => {
  const answer = query(exodus, features, "<feature var='urn:xmpp:ping'/>")
  assert.equal(verifyCaps(announced('QgayPKawpkPSDYmwT/WM94uAlu0='), answer), 'forged')
})

test('XEP-0115 §5.4, rule 2: a hash function that we do not know proves nothing', () => {
  for (const hash of ['sha-99', 'constructor', 'md5'])
    assert.equal(verifyCaps(announced('x', hash), query(exodus)), 'unverifiable')
})

test('XEP-0115 §12: the format before 1.4 proves nothing', () => {
  const { node, ver } = announced('0.9')
  assert.equal(verifyCaps({ node, ver, hash: undefined }, query(exodus)), 'unverifiable')
})

test('XEP-0115 §5.1: sorting goes by octets, part by part', () => {
  const answer = query(
    "<identity category='a-b' type='x'/><identity category='a' type='x'/>",
    "<feature var='urn:é'/><feature var='urn:z'/><feature var='urn:Z'/>",
    form('urn:f!'),
    form('urn:f'),
  )
  assert.equal(verificationText(answer), 'a/x//<a-b/x//<urn:Z<urn:z<urn:é<urn:f<urn:f!<')
})

test('XEP-0115 §5.4, rule 3.6: a form without a hidden FORM_TYPE does not count', () => {
  const other = "<x xmlns='jabber:x:data'><field var='FORM_TYPE'><value>urn:f</value></field></x>"
  assert.equal(verificationText(query(exodus, other)), verificationText(query(exodus)))
})

for (const [what, answer] of [
  ['rule 3.3: an identity twice', query(exodus, exodus)],
  [
    'rule 3.4: a feature twice',
    query(exodus, features, "<feature var='http://jabber.org/protocol/muc'/>"),
  ],
  ['rule 3.5: a FORM_TYPE twice', query(exodus, form('urn:f', field('a', '1')), form('urn:f'))],
  [
    'rule 3.5: a FORM_TYPE of two values',
    query(
      `<x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'><value>a</value><value>b</value></field></x>`,
    ),
  ],
  ['a feature that reads as two', query("<feature var='urn:a&lt;urn:b'/>")],
  ['an identity with a separator in its type', query("<identity category='client' type='pc/x'/>")],
  ['a value that reads as two', query(form('urn:f', field('a', '1&lt;b&lt;2')))],
] as const)
  test(`XEP-0115 §5.4, ill-formed: ${what}`, () => {
    assert.equal(verificationText(answer), undefined)
    assert.equal(verifyCaps(announced('QgayPKawpkPSDYmwT/WM94uAlu0='), answer), 'forged')
  })

test('XEP-0115 §4: what presence announces', () => {
  const presence = Stanza.parse(
    "<presence xmlns='jabber:client'><c xmlns='http://jabber.org/protocol/caps' node='urn:x' ver='y' hash='sha-1'/></presence>",
  )
  assert.deepEqual(readCaps(presence), { node: 'urn:x', ver: 'y', hash: 'sha-1' })
  assert.equal(readCaps(Stanza.parse("<presence xmlns='jabber:client'/>")), undefined)
})
