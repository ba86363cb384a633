import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseElement } from '@tactus/xml'
import { complaintLimits, readItems } from '../../src/blocking/wire.ts'

const read = (content: string) =>
  readItems(parseElement(`<block xmlns='urn:xmpp:blocking'>${content}</block>`))
const report = (attrs: string, content = '') =>
  `<item jid='a@b.example'><report xmlns='urn:xmpp:reporting:1' ${attrs}>${content}</report></item>`

test('XEP-0191 §3.3: addresses are normalized', () => {
  assert.deepEqual(read("<item jid='Romeo@Montague.Example'/>"), [
    { jid: 'romeo@montague.example', complaint: undefined },
  ])
})

for (const [what, content, condition] of [
  ['an item without an address', '<item/>', 'bad-request'],
  ['an address that is none', "<item jid='@'/>", 'jid-malformed'],
  ['a report without a reason (XEP-0377 §4)', report(''), 'bad-request'],
] as const)
  test(`XEP-0191 §3.3: ${what} is ${condition}`, () => {
    assert.throws(() => read(content), { condition })
  })

test('XEP-0377 §4 to §6: what a report says', () => {
  const content =
    "<stanza-id xmlns='urn:xmpp:sid:0' by='a@b.example' id='1'/><stanza-id xmlns='urn:xmpp:sid:0' by='a@b.example' id='2'/><text xml:lang='en'> Trouble </text><report-origin/>"
  assert.deepEqual(read(report("reason='urn:xmpp:reporting:spam'", content))[0]?.complaint, {
    reason: 'urn:xmpp:reporting:spam',
    text: 'Trouble',
    stanzaIds: ['1', '2'],
    reportOrigin: true,
    thirdParty: false,
  })
})

test('a report is cut to its bounds', () => {
  const long = 'x'.repeat(3_000)
  const ids = `<stanza-id xmlns='urn:xmpp:sid:0' id='1'/>`.repeat(30)
  const [item] = read(report(`reason='${long}'`, `${ids}<text>${long}</text>`))
  assert.equal(item?.complaint?.reason.length, complaintLimits.reason)
  assert.equal(item?.complaint?.text?.length, complaintLimits.text)
  assert.equal(item?.complaint?.stanzaIds.length, complaintLimits.stanzaIds)
})
