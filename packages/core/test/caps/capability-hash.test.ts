import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseElement, Stanza } from '@tactus/xml'
import {
  capabilityHashNode,
  hashInput,
  readCapabilityHash,
  verifyCapabilityHash,
} from '../../src/caps/capability-hash.ts'

/** XEP-0390 §4.5.1 and §4.5.2. */
const simple = parseElement(`<query xmlns="http://jabber.org/protocol/disco#info">
  <identity category="client" name="BombusMod" type="mobile"/>
  <feature var="http://jabber.org/protocol/si"/>
  <feature var="http://jabber.org/protocol/bytestreams"/>
  <feature var="http://jabber.org/protocol/chatstates"/>
  <feature var="http://jabber.org/protocol/disco#info"/>
  <feature var="http://jabber.org/protocol/disco#items"/>
  <feature var="urn:xmpp:ping"/>
  <feature var="jabber:iq:time"/>
  <feature var="jabber:iq:privacy"/>
  <feature var="jabber:iq:version"/>
  <feature var="http://jabber.org/protocol/rosterx"/>
  <feature var="urn:xmpp:time"/>
  <feature var="jabber:x:oob"/>
  <feature var="http://jabber.org/protocol/ibb"/>
  <feature var="http://jabber.org/protocol/si/profile/file-transfer"/>
  <feature var="urn:xmpp:receipts"/>
  <feature var="jabber:iq:roster"/>
  <feature var="jabber:iq:last"/>
</query>`)
const complex = parseElement(`<query xmlns="http://jabber.org/protocol/disco#info">
  <identity category="client" name="Tkabber" type="pc" xml:lang="en"/>
  <identity category="client" name="Ткаббер" type="pc" xml:lang="ru"/>
  <feature var="games:board"/>
  <feature var="http://jabber.org/protocol/activity"/>
  <feature var="http://jabber.org/protocol/activity+notify"/>
  <feature var="http://jabber.org/protocol/bytestreams"/>
  <feature var="http://jabber.org/protocol/chatstates"/>
  <feature var="http://jabber.org/protocol/commands"/>
  <feature var="http://jabber.org/protocol/disco#info"/>
  <feature var="http://jabber.org/protocol/disco#items"/>
  <feature var="http://jabber.org/protocol/evil"/>
  <feature var="http://jabber.org/protocol/feature-neg"/>
  <feature var="http://jabber.org/protocol/geoloc"/>
  <feature var="http://jabber.org/protocol/geoloc+notify"/>
  <feature var="http://jabber.org/protocol/ibb"/>
  <feature var="http://jabber.org/protocol/iqibb"/>
  <feature var="http://jabber.org/protocol/mood"/>
  <feature var="http://jabber.org/protocol/mood+notify"/>
  <feature var="http://jabber.org/protocol/rosterx"/>
  <feature var="http://jabber.org/protocol/si"/>
  <feature var="http://jabber.org/protocol/si/profile/file-transfer"/>
  <feature var="http://jabber.org/protocol/tune"/>
  <feature var="http://www.facebook.com/xmpp/messages"/>
  <feature var="http://www.xmpp.org/extensions/xep-0084.html#ns-metadata+notify"/>
  <feature var="jabber:iq:avatar"/>
  <feature var="jabber:iq:browse"/>
  <feature var="jabber:iq:dtcp"/>
  <feature var="jabber:iq:filexfer"/>
  <feature var="jabber:iq:ibb"/>
  <feature var="jabber:iq:inband"/>
  <feature var="jabber:iq:jidlink"/>
  <feature var="jabber:iq:last"/>
  <feature var="jabber:iq:oob"/>
  <feature var="jabber:iq:privacy"/>
  <feature var="jabber:iq:roster"/>
  <feature var="jabber:iq:time"/>
  <feature var="jabber:iq:version"/>
  <feature var="jabber:x:data"/>
  <feature var="jabber:x:event"/>
  <feature var="jabber:x:oob"/>
  <feature var="urn:xmpp:avatar:metadata+notify"/>
  <feature var="urn:xmpp:ping"/>
  <feature var="urn:xmpp:receipts"/>
  <feature var="urn:xmpp:time"/>
  <x xmlns="jabber:x:data" type="result">
    <field type="hidden" var="FORM_TYPE">
      <value>urn:xmpp:dataforms:softwareinfo</value>
    </field>
    <field var="software">
      <value>Tkabber</value>
    </field>
    <field var="software_version">
      <value>0.11.1-svn-20111216-mod (Tcl/Tk 8.6b2)</value>
    </field>
    <field var="os">
      <value>Windows</value>
    </field>
    <field var="os_version">
      <value>XP</value>
    </field>
  </x>
</query>`)

for (const [query, algorithm, value] of [
  [simple, 'sha-256', 'kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8='],
  [simple, 'sha3-256', '79mdYAfU9rEdTOcWDO7UEAt6E56SUzk/g6TnqUeuD9Q='],
  [complex, 'sha-256', 'u79ZroNJbdSWhdSp311mddz44oHHPsEBntQ5b1jqBSY='],
  [complex, 'sha3-256', 'XpUJzLAc93258sMECZ3FJpebkzuyNXDzRNwQog8eycg='],
] as const)
  test(`XEP-0390 §4.5: the examples have the hashes that are printed there, ${algorithm}`, () => {
    assert.equal(verifyCapabilityHash({ algorithm, value }, query), 'verified')
    assert.equal(verifyCapabilityHash({ algorithm, value: `${value}x` }, query), 'forged')
  })

test('XEP-0390 §4.1: what is no identity, feature or proper form is an error', () => {
  const query = (content: string) =>
    parseElement(`<query xmlns='http://jabber.org/protocol/disco#info'>${content}</query>`)
  const form = (content: string) => query(`<x xmlns='jabber:x:data' type='result'>${content}</x>`)
  const type = "<field var='FORM_TYPE' type='hidden'><value>urn:x</value></field>"

  assert.ok(hashInput(form(type)))
  for (const ill of [
    query('<x/>'),
    query("<feature xmlns='urn:x' var='y'/>"),
    form('<field var="a"><value>1</value></field>'),
    form(`${type}<reported/>`),
    form(`${type}<item/>`),
  ])
    assert.equal(hashInput(ill), undefined, String(ill))
  assert.equal(verifyCapabilityHash({ algorithm: 'md5', value: 'x' }, query('')), 'unverifiable')
})

test('XEP-0390 §4.2, §4.3: of the hashes in presence the strongest that is known, and its node', () => {
  const presence = (content: string) =>
    Stanza.parse(
      `<presence xmlns='jabber:client'><c xmlns='urn:xmpp:caps'>${content}</c></presence>`,
    )
  const hash = (algo: string, value: string) =>
    `<hash xmlns='urn:xmpp:hashes:2' algo='${algo}'>${value}</hash>`

  const found = readCapabilityHash(
    presence(hash('sha-256', 'a=') + hash('sha3-256', 'b=') + hash('md5', 'c=')),
  )
  assert.deepEqual(found, { algorithm: 'sha3-256', value: 'b=' })
  assert.equal(found && capabilityHashNode(found), 'urn:xmpp:caps#sha3-256.b=')
  assert.equal(readCapabilityHash(presence(hash('md5', 'c='))), undefined)
  assert.equal(readCapabilityHash(presence('')), undefined)
})
