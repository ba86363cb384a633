import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import { broom, cauldron, change, crypt, gathered, NS_USER, newRoom, text } from './muc/scene.ts'

const trio = { firstwitch: cauldron, secondwitch: broom, thirdwitch: crypt }
const [hecateBare, hagBare] = ['hecate@capulet.example', 'hag66@capulet.example']

/** What somebody got, with what is in base64 of it made readable. */
function readable(stanzas: readonly unknown[]): string {
  const whole = stanzas.map(text).join('')
  const decoded = (whole.match(/[\w-]{16,}/g) ?? []).map((part) =>
    Buffer.from(part, 'base64url').toString(),
  )
  return whole + decoded.join(' ')
}

story(
  'XEP-0045 §4.2, §6.6: a request between occupants tells nobody the address of who asks',
  async (tale) => {
    const room = newRoom()
    const [crone, hecate, hag] = await gathered(tale, room, trio)
    assert(crone && hecate && hag)

    await hecate.send`<iq type='get' id='v' to='${room}/thirdwitch'><query xmlns='jabber:iq:version'/></iq>`

    const requests = hag.drain()
    assert.equal(requests.length, 1)
    assert.doesNotMatch(readable(requests), /capulet\.example\/broom|hecate@/)
    const [request] = requests
    await hag.send`<iq type='result' id='${request?.id}' to='${request?.from}'><query xmlns='jabber:iq:version'/></iq>`
    hecate.receives`<iq type='result' id='v' from='${room}/thirdwitch' to='${hecate.jid}'><query xmlns='jabber:iq:version'/></iq>`
  },
)

story('XEP-0045 §4.2, RFC 6120 §8.3.1: an error between occupants names nobody', async (tale) => {
  const room = newRoom()
  const [, hecate, hag] = await gathered(tale, room, trio)
  assert(hecate && hag)
  await hecate.send`<iq type='get' id='v' to='${room}/thirdwitch'><query xmlns='jabber:iq:version'/></iq>`
  const [request] = hag.drain()
  const unavailable = `<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>`

  await hag.send`<iq type='error' id='${request?.id}' to='${request?.from}'><query xmlns='jabber:iq:version'/><error type='cancel' by='${hag.jid}'>${unavailable}</error></iq>`

  hecate.receives`<iq type='error' id='v' from='${room}/thirdwitch' to='${hecate.jid}'><query xmlns='jabber:iq:version'/><error type='cancel'>${unavailable}</error></iq>`
})

for (const [what, item] of [
  ['§8.2: kicked', "nick='thirdwitch' role='none'"],
  ['§9.1: banned', `jid='${hagBare}' affiliation='outcast'`],
  ['§9.3: made a member', `jid='${hagBare}' affiliation='member'`],
] as const)
  story(`XEP-0045 ${what} one learns by whom, and not the address`, async (tale) => {
    const room = newRoom()
    const [crone, hecate, hag] = await gathered(tale, room, trio)
    assert(crone && hecate && hag)

    await change(crone, room, `<item ${item}/>`)

    const told = text(hag.drain()[0])
    assert.match(told, /<actor nick="firstwitch"/)
    assert.match(told, new RegExp(`jid="${hag.jid}"`))
    assert.doesNotMatch(told, /crone1@/)
  })

story('XEP-0045 §7.8.2: a refusal is no way to ask who is in a room', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, {
    firstwitch: cauldron,
    secondwitch: broom,
  })
  assert(crone && hecate)
  const hag = await tale.online(crypt)
  const decline = (to: string) =>
    hag.send`<message to='${room}' id='d'><x xmlns='${NS_USER}'><decline to='${to}'/></x></message>`

  await decline(hecateBare)
  await decline('nobody@capulet.example')
  await decline(`${room}/nobody`)
  await hag.receivesNothing()
  // Where addresses are hidden, no invitation named one.
  await hecate.receivesNothing()
  await decline(`${room}/secondwitch`)
  assert.match(text(hecate.drain()[0]), /<decline from="hag66@capulet\.example"/)

  await change(crone, room, `<item jid='${hagBare}' affiliation='outcast'/>`)
  await decline(`${room}/secondwitch`)
  await hecate.receivesNothing()
})
