import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import { assertAlike } from './likeness.ts'

const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const vcard = (content = '') => `<vCard xmlns='vcard-temp'>${content}</vCard>`
const card = vcard(
  '<FN>Juliet Capulet</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>aGk=</BINVAL></PHOTO>',
)

story('XEP-0054 §3.2: a vCard is stored, and anybody may read it', async ({ connect }) => {
  const juliet = await connect('juliet@capulet.example/balcony')
  const romeo = await connect('romeo@montague.example/orchard')

  await juliet.send`<iq type='set' id='v1'>${card}</iq>`
  juliet.receives`<iq type='result' id='v1' to='${juliet.jid}'/>`

  await juliet.send`<iq type='get' id='v2'>${vcard()}</iq>`
  juliet.receives`<iq type='result' id='v2' to='${juliet.jid}'>${card}</iq>`
  await romeo.send`<iq type='get' id='v3' to='${juliet.account}'>${vcard()}</iq>`
  romeo.receives`<iq type='result' id='v3' from='${juliet.account}' to='${romeo.jid}'>${card}</iq>`
})

story('XEP-0054 §4: a server that says that it knows vCards has one', async ({ connect }) => {
  const romeo = await connect('romeo@montague.example/orchard')

  await romeo.send`<iq type='get' id='v1' to='montague.example'>${vcard()}</iq>`
  romeo.receives`<iq type='result' id='v1' from='montague.example' to='${romeo.jid}'>${vcard('<FN>montague.example</FN><JABBERID>montague.example</JABBERID>')}</iq>`

  await romeo.send`<iq type='set' id='v2' to='montague.example'>${card}</iq>`
  romeo.receives`<iq type='error' id='v2' from='montague.example' to='${romeo.jid}'><error type='cancel'><service-unavailable xmlns='${NS_ERRORS}'/></error></iq>`
})

story('XEP-0292 §7: an account says that it knows vCard4', async ({ connect }) => {
  const juliet = await connect('juliet@capulet.example/balcony')

  await juliet.send`<iq type='get' id='d1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`

  const offered = String(juliet.drain()[0])
  assert.ok(offered.includes("<feature var='urn:ietf:params:xml:ns:vcard-4.0'/>"), offered)
})

story('XEP-0054 §3.1: an account without a vCard gets an empty one', async ({ connect }) => {
  const juliet = await connect('juliet@capulet.example/balcony')

  await juliet.send`<iq type='get' id='v1'>${vcard()}</iq>`

  juliet.receives`<iq type='result' id='v1' to='${juliet.jid}'>${vcard()}</iq>`
})

story('XEP-0054 §3.3: no vCard and no account look the same', async ({ connect }) => {
  await connect('juliet@capulet.example/balcony')
  const romeo = await connect('romeo@montague.example/orchard')

  await assertAlike(
    romeo,
    (account) => romeo.send`<iq type='get' id='v1' to='${account}'>${vcard()}</iq>`,
    ['juliet@capulet.example', 'nobody@capulet.example'],
  )
})

story('XEP-0054 §3.2: nobody writes another’s vCard', async ({ connect }) => {
  const juliet = await connect('juliet@capulet.example/balcony')
  const romeo = await connect('romeo@montague.example/orchard')

  await romeo.send`<iq type='set' id='v1' to='${juliet.account}'>${vcard('<FN>Paris</FN>')}</iq>`
  romeo.receives`<iq type='error' id='v1' from='${juliet.account}' to='${romeo.jid}'><error type='cancel'><service-unavailable xmlns='${NS_ERRORS}'/></error></iq>`

  await juliet.send`<iq type='get' id='v2'>${vcard()}</iq>`
  juliet.receives`<iq type='result' id='v2' to='${juliet.jid}'>${vcard()}</iq>`
})

story(
  'a vCard may be for contacts only',
  { modules: { vcard: { readers: 'contacts' } } },
  async ({ online, befriend }) => {
    const juliet = await online('juliet@capulet.example/balcony')
    const romeo = await online('romeo@montague.example/orchard')
    const paris = await online('paris@capulet.example/palace')
    await befriend(juliet, romeo)
    await juliet.send`<iq type='set' id='v1'>${card}</iq>`
    // XEP-0398 §4: contacts are told of the new picture.
    assert.equal(romeo.drain()[0]?.hasChild('x', 'vcard-temp:x:update'), true)

    await romeo.send`<iq type='get' id='v2' to='${juliet.account}'>${vcard()}</iq>`
    romeo.receives`<iq type='result' id='v2' from='${juliet.account}' to='${romeo.jid}'>${card}</iq>`
    await assertAlike(
      paris,
      (account) => paris.send`<iq type='get' id='v1' to='${account}'>${vcard()}</iq>`,
      ['juliet@capulet.example', 'nobody@capulet.example'],
    )
  },
)

story('a vCard has a limit', { modules: { vcard: { bytes: 100 } } }, async ({ connect }) => {
  const juliet = await connect('juliet@capulet.example/balcony')

  await juliet.send`<iq type='set' id='v1' to='${juliet.account}'>${vcard(`<FN>${'x'.repeat(100)}</FN>`)}</iq>`

  juliet.receives`<iq type='error' id='v1' from='${juliet.account}' to='${juliet.jid}'><error type='modify'><policy-violation xmlns='${NS_ERRORS}'/><text xmlns='${NS_ERRORS}' xml:lang='en'>{any}</text></error></iq>`
})
