import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type Client, story } from '@tactus/testkit'
import {
  ask,
  comesWith,
  idsOf,
  item,
  items,
  juliet,
  julietBalcony,
  options,
  publish,
  romeoHome,
  software,
} from './pubsub/words.ts'

const [DATA, METADATA] = ['urn:xmpp:avatar:data', 'urn:xmpp:avatar:metadata']
const NS_UPDATE = 'vcard-temp:x:update'
const image = (text: string) => Buffer.from(text).toString('base64')
const hashOf = (text: string) => createHash('sha1').update(text).digest('hex')
const metadata = (text: string) =>
  `<metadata xmlns='${METADATA}'><info bytes='${text.length}' id='${hashOf(text)}' type='image/png'/></metadata>`
const photo = (text: string) =>
  `<PHOTO><TYPE>image/png</TYPE><BINVAL>${image(text)}</BINVAL></PHOTO>`
const vcard = (content = '') =>
  content === '' ? "<vCard xmlns='vcard-temp'/>" : `<vCard xmlns='vcard-temp'>${content}</vCard>`
const readCard = (client: Client, to = juliet) => ask(client, 'get', vcard(), to)
const writeCard = (client: Client, content: string) => ask(client, 'set', vcard(content))

async function showsAvatar(client: Client, text: string, access = 'open'): Promise<void> {
  const wishes = options({ access_model: access })
  const data = `<data xmlns='${DATA}'>${image(text)}</data>`
  await publish(client, DATA, item(hashOf(text), data), wishes)
  await publish(client, METADATA, item(hashOf(text), metadata(text)), wishes)
}

story(
  'XEP-0398 §3.1: an avatar is the photo of the vCard, beside what it says',
  async ({ online }) => {
    const client = await online(julietBalcony)
    const stranger = await online(romeoHome)
    await writeCard(client, '<FN>Juliet</FN><TZ>+01:00</TZ>')

    await showsAvatar(client, 'one')

    for (const reader of [client, stranger])
      assert.equal(await readCard(reader), vcard(`<FN>Juliet</FN><TZ>+01:00</TZ>${photo('one')}`))
  },
)

story(
  'XEP-0398 §7: an avatar that strangers may not have is not in the vCard for them',
  async ({ online, befriend }) => {
    const client = await online(julietBalcony)
    const stranger = await online('tybalt@capulet.example/hall')
    const romeo = await online(romeoHome)
    await befriend(client, romeo)
    await writeCard(client, '<FN>Juliet</FN>')

    await showsAvatar(client, 'one', 'presence')

    assert.equal(await readCard(romeo), vcard(`<FN>Juliet</FN>${photo('one')}`))
    assert.equal(await readCard(stranger), vcard('<FN>Juliet</FN>'))
  },
)

story(
  'XEP-0398 §7: nor is one whose metadata is for others only, though its data is for all',
  async ({ online }) => {
    const client = await online(julietBalcony)
    const stranger = await online('tybalt@capulet.example/hall')
    await writeCard(client, '<FN>Juliet</FN>')
    const data = `<data xmlns='${DATA}'>${image('one')}</data>`
    await publish(client, DATA, item(hashOf('one'), data), options({ access_model: 'open' }))
    const closed = options({ access_model: 'whitelist' })
    await publish(client, METADATA, item(hashOf('one'), metadata('one')), closed)

    assert.equal(await readCard(client), vcard(`<FN>Juliet</FN>${photo('one')}`))
    assert.equal(await readCard(stranger), vcard('<FN>Juliet</FN>'))
  },
)

story(
  'XEP-0398 §3.1: of several images that one is shown that does not lie elsewhere',
  async ({ online }) => {
    const client = await online(julietBalcony)
    const elsewhere = `<info bytes='9' id='${hashOf('other')}' type='image/gif' url='https://capulet.example/a.gif'/>`
    const both = metadata('one').replace('<info', `${elsewhere}<info`)
    const data = `<data xmlns='${DATA}'>${image('one')}</data>`
    await publish(client, DATA, item(hashOf('one'), data))
    await publish(client, METADATA, item(hashOf('one'), both))

    assert.equal(await readCard(client), vcard(photo('one')))
  },
)

story('XEP-0153 §4.6: line feeds in an image are none of it', async ({ online }) => {
  const client = await online(julietBalcony)
  const text = 'a picture of some length'
  const lines = photo(text).replace(image(text), image(text).replace(/(.{9})/g, '$1\n  '))

  await writeCard(client, lines)

  assert.equal(await readCard(client), vcard(photo(text)))
})

story(
  'XEP-0398 §3.1: an image that has another hash than was said is not shown',
  async ({ online }) => {
    const client = await online(julietBalcony)
    const data = `<data xmlns='${DATA}'>${image('other')}</data>`
    await publish(client, DATA, item(hashOf('one'), data))
    await publish(client, METADATA, item(hashOf('one'), metadata('one')))

    assert.equal(await readCard(client), vcard())
  },
)

story(
  'XEP-0398 §3.2: the photo of a vCard becomes the avatar, and contacts hear of it',
  async ({ connect, online, befriend }) => {
    const client = await online(julietBalcony)
    const romeo = await connect(romeoHome)
    const stranger = await online('tybalt@capulet.example/hall')
    await comesWith(romeo, software(METADATA))
    await befriend(client, romeo)

    await writeCard(client, `<FN>Juliet</FN>${photo('one')}`)

    const [message] = romeo.drain()
    assert.ok(String(message).includes(item(hashOf('one'), metadata('one'))), String(message))
    const data = `<data xmlns='${DATA}'>${image('one')}</data>`
    // It was for anyone in the vCard, so it is here.
    assert.ok((await items(stranger, DATA)).includes(item(hashOf('one'), data)))
    assert.equal(await readCard(stranger), vcard(`<FN>Juliet</FN>${photo('one')}`))

    // The same once more is nothing new.
    await writeCard(client, `<FN>Juliet C.</FN>${photo('one')}`)
    await romeo.receivesNothing()

    await writeCard(client, '<FN>Juliet</FN>')
    assert.match(String(romeo.drain()[0]), /<metadata xmlns='urn:xmpp:avatar:metadata'\/>/)
    assert.equal(await readCard(stranger), vcard('<FN>Juliet</FN>'))
  },
)

story(
  'XEP-0398 §4: presence says which avatar it is, directed presence too',
  async ({ online, befriend }) => {
    const client = await online(julietBalcony)
    const romeo = await online(romeoHome)
    const stranger = await online('tybalt@capulet.example/hall')
    await befriend(client, romeo)
    const update = (content: string) => `<x xmlns='${NS_UPDATE}'>${content}</x>`
    const presence = (content: string, to = romeo.account) =>
      `<presence from='${client.jid}' to='${to}'>${content}</presence>`
    const hash = update(`<photo>${hashOf('one')}</photo>`)

    await client.send`<presence/>`
    romeo.receives`${presence('')}`
    await showsAvatar(client, 'one')
    // The server says it again, as the client has not.
    romeo.receives`${presence(hash)}`
    await showsAvatar(client, 'one')
    await romeo.receivesNothing()
    client.drain()

    await client.send`<presence/>`
    romeo.receives`${presence(hash)}`
    // Empty ones are overwritten, and so are wrong ones.
    await client.send`<presence>${update('')}</presence>`
    romeo.receives`${presence(hash)}`
    await client.send`<presence>${update('<photo>0000</photo>')}</presence>`
    romeo.receives`${presence(hash)}`
    // Who shows none shows none.
    await client.send`<presence>${update('<photo/>')}</presence>`
    romeo.receives`${presence(update('<photo/>'))}`
    await client.send`<presence to='${stranger.jid}'/>`
    stranger.receives`${presence(hash, stranger.jid)}`
  },
)

story(
  'XEP-0398 §4, SECURITY: presence tells strangers nothing of an avatar that is not for them',
  async ({ online }) => {
    const client = await online(julietBalcony)
    const stranger = await online('tybalt@capulet.example/hall')
    await showsAvatar(client, 'one', 'presence')

    await client.send`<presence to='${stranger.jid}'/>`

    stranger.receives`<presence from='${client.jid}' to='${stranger.jid}'/>`
  },
)

story('XEP-0292 §11: what one of the two cards says, the other says', async ({ online }) => {
  const NS_FORMAT = 'urn:ietf:params:xml:ns:vcard-4.0'
  const client = await online(julietBalcony)
  const stranger = await online(romeoHome)
  const old =
    '<FN>Juliet</FN><NICKNAME>Jule</NICKNAME><ORG><ORGNAME>Capulet</ORGNAME></ORG><EMAIL><USERID>juliet@capulet.example</USERID></EMAIL><JABBERID>juliet@capulet.example</JABBERID><N><FAMILY>Capulet</FAMILY><GIVEN>Juliet</GIVEN></N>'
  const text = (name: string, value: string) => `<${name}><text>${value}</text></${name}>`
  const now = `<vcard xmlns='${NS_FORMAT}'>${text('fn', 'Juliet')}${text('nickname', 'Jule')}${text('org', 'Capulet')}${text('email', 'juliet@capulet.example')}<impp><uri>xmpp:juliet@capulet.example</uri></impp><n><surname>Capulet</surname><given>Juliet</given></n></vcard>`

  await writeCard(client, `${old}<TZ>+01:00</TZ>`)
  assert.equal(idsOf(await items(stranger, 'urn:xmpp:vcard4')).length, 1)
  assert.ok((await items(stranger, 'urn:xmpp:vcard4')).includes(now))
  // What is stored is handed out as it was written.
  assert.equal(await readCard(stranger), vcard(`${old}<TZ>+01:00</TZ>`))

  await publish(
    client,
    'urn:xmpp:vcard4',
    item('x', `<vcard xmlns='${NS_FORMAT}'>${text('fn', 'Juliet Montague')}</vcard>`),
  )
  assert.equal(await readCard(stranger), vcard('<FN>Juliet Montague</FN><TZ>+01:00</TZ>'))
})

story(
  'XEP-0292 §5.2: what an account notes of its contacts is for itself',
  async ({ online, befriend }) => {
    const client = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await befriend(client, romeo)
    const card = "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>"
    for (const contact of ['romeo@montague.example', 'nurse@capulet.example'])
      await publish(client, 'urn:xmpp:contacts', item(contact, card))

    assert.equal(await items(romeo, 'urn:xmpp:contacts'), 'cancel: not-allowed closed-node')
    assert.deepEqual(idsOf(await items(client, 'urn:xmpp:contacts')).toSorted(), [
      'nurse@capulet.example',
      'romeo@montague.example',
    ])
  },
)
