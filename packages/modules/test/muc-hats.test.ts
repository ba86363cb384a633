import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import {
  broom,
  cauldron,
  codes,
  crypt,
  gathered,
  join,
  NS_USER,
  newRoom,
  occupantId,
  text,
} from './muc/scene.ts'

const NS_HATS = 'urn:xmpp:hats:0'
const NS_COMMANDS = 'http://jabber.org/protocol/commands'
const assistant = 'http://tech.example.edu/hats#TeacherAssistant'
const trio = { firstwitch: cauldron, secondwitch: broom, thirdwitch: crypt }
const crypted = 'hag66@capulet.example'

/** Runs a command at once: what the room answers. */
async function run(
  client: Client,
  room: string,
  command: string,
  fields?: Readonly<Record<string, string>>,
): Promise<string> {
  const values = Object.entries({ FORM_TYPE: 'urn:xmpp:hats:commands', ...fields }).map(
    ([name, value]) => `<field var='${name}'><value>${value}</value></field>`,
  )
  const form = fields ? `<x xmlns='jabber:x:data' type='submit'>${values.join('')}</x>` : ''
  await client.send`<iq type='set' id='h' to='${room}'><command xmlns='${NS_COMMANDS}' action='execute' node='urn:xmpp:hats:commands:${command}'>${form}</command></iq>`
  return text(await client.hears('h'))
}

story(
  'XEP-0317 §3.2, §3.5, §3.6, §3.3: a hat is made, worn, taken off, destroyed',
  async (tale) => {
    const room = newRoom()
    const [crone, hecate, hag] = await gathered(tale, room, trio)
    assert(crone && hecate && hag)
    const hat = (title: string, hue = '') =>
      `<hats xmlns='${NS_HATS}'><hat title='${title}' uri='${assistant}'${hue}/></hats>`
    const seen = (hats: string) =>
      `<presence from='${room}/thirdwitch' to='${hecate.jid}'><x xmlns='${NS_USER}'><item affiliation='none' role='participant'/></x>${occupantId}${hats}</presence>`
    const changed = `<message type='groupchat' id='{any}' from='${room}' to='${hecate.jid}'><x xmlns='${NS_USER}'>${codes(104)}</x></message>`

    assert.match(
      await run(crone, room, 'create'),
      /status="executing".*var="hats#title".*<required/,
    )
    const made = { 'hats#title': 'Assistant', 'hats#uri': assistant, 'hats#hue': '327.255249' }
    assert.match(await run(crone, room, 'create', made), /status="completed"/)
    hecate.receives`${changed}`
    assert.match(
      await run(crone, room, 'assign'),
      new RegExp(`<option label="Assistant"><value>${assistant}`),
    )
    const worn = { 'hats#jid': crypted, 'hats#uri': assistant }
    await run(crone, room, 'assign', worn)
    hecate.receives`${seen(hat('Assistant', " hue='327.255249'"))}`

    // §3.1: whoever comes in sees it, and nobody can put one on itself.
    await hag.send`<presence to='${room}/thirdwitch'><hats xmlns='${NS_HATS}'><hat title='Queen' uri='http://a.example/q'/></hats></presence>`
    hecate.receives`${seen(hat('Assistant', " hue='327.255249'"))}`
    const late = await tale.online('banquo@montague.example/x')
    await join(late, room, 'banquo')
    assert.equal(late.drain().filter((each) => each.hasChild('hats', NS_HATS)).length, 1)
    hecate.drain()

    // §3.2: it gets another title.
    await run(crone, room, 'create', { 'hats#title': 'Scribe', 'hats#uri': assistant })
    hecate.receives`${changed}`
    hecate.receives`${seen(hat('Scribe'))}`
    await run(crone, room, 'unassign', worn)
    hecate.receives`${seen('')}`
    await run(crone, room, 'assign', worn)
    hecate.drain()
    await run(crone, room, 'destroy', { 'hats#uri': assistant })
    hecate.receives`${changed}`
    hecate.receives`${seen('')}`
  },
)

story('XEP-0317 §3.4, §3.7: hats are listed for those whom it concerns', async (tale) => {
  const room = newRoom()
  const [crone, hecate] = await gathered(tale, room, trio)
  assert(crone && hecate)
  const info = `<iq type='get' id='i' to='${room}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
  const hash = async () => {
    await crone.send`${info}`
    return /var="hats#hash"[^>]*><value>(\w+)</.exec(text(crone.drain().at(-1)))?.[1]
  }
  assert.equal(await hash(), undefined)
  await run(crone, room, 'create', { 'hats#title': 'Assistant', 'hats#uri': assistant })
  const first = await hash()
  assert(first)
  await run(crone, room, 'create', { 'hats#title': 'Host', 'hats#uri': 'http://a.example/host' })
  assert.notEqual(await hash(), first)
  await run(crone, room, 'assign', { 'hats#jid': crypted, 'hats#uri': assistant })

  assert.match(
    await run(hecate, room, 'list'),
    new RegExp(
      `status="completed".*<reported>.*<value>Assistant</value>.*<value>${assistant}</value>.*<value>Host</value>`,
    ),
  )
  assert.match(
    await run(crone, room, 'list-assigned'),
    new RegExp(`<value>${crypted}</value>.*<value>Assistant`),
  )
  // V44: addresses are not for everybody, and hats are not everybody's to give.
  for (const command of ['list-assigned', 'assign', 'unassign', 'create', 'destroy'])
    assert.match(await run(hecate, room, command), /<forbidden/)
  const stranger = await tale.online('banquo@montague.example/x')
  assert.match(await run(stranger, room, 'list'), /<forbidden/)
  const nodes = async (client: Client) => {
    await client.send`<iq type='get' id='n' to='${room}'><query xmlns='http://jabber.org/protocol/disco#items' node='${NS_COMMANDS}'/></iq>`
    return text(await client.hears('n')).match(/node="urn:xmpp:hats/g)?.length ?? 0
  }
  assert.deepEqual([await nodes(crone), await nodes(hecate), await nodes(stranger)], [6, 1, 0])
})

story(
  'hats that are none are refused, and so are too many',
  { modules: { muc: { hats: 1, hatsWorn: 1 } } },
  async (tale) => {
    const room = newRoom()
    const [crone] = await gathered(tale, room, { firstwitch: cauldron })
    assert(crone)
    for (const fields of [
      { 'hats#title': '', 'hats#uri': assistant },
      { 'hats#title': 'x', 'hats#uri': 'no uri' },
      { 'hats#title': 'x', 'hats#uri': assistant, 'hats#hue': '361' },
    ])
      assert.match(await run(crone, room, 'create', fields), /<not-acceptable/)
    assert.match(
      await run(crone, room, 'assign', { 'hats#jid': crypted, 'hats#uri': assistant }),
      /<not-acceptable/,
    )
    await run(crone, room, 'create', { 'hats#title': 'x', 'hats#uri': assistant })
    await run(crone, room, 'create', { 'hats#title': 'y', 'hats#uri': assistant })
    assert.match(
      await run(crone, room, 'create', { 'hats#title': 'y', 'hats#uri': `${assistant}2` }),
      /<resource-constraint/,
    )
    assert.match(
      await run(crone, room, 'assign', { 'hats#jid': crypted, 'hats#uri': assistant }),
      /completed/,
    )
    assert.match(
      await run(crone, room, 'assign', { 'hats#jid': 'a@b.example', 'hats#uri': assistant }),
      /<resource-constraint/,
    )
  },
)

story('XEP-0317 §3.5: nobody wears so many hats that its presence gets long', async (tale) => {
  const room = newRoom()
  const [crone, hag] = await gathered(tale, room, { firstwitch: cauldron, thirdwitch: crypt })
  assert(crone && hag)
  const wear = async (number: number) => {
    const uri = `urn:hat:${number}`
    await run(crone, room, 'create', { 'hats#title': 'Hat', 'hats#uri': uri })
    return run(crone, room, 'assign', { 'hats#jid': crypted, 'hats#uri': uri })
  }
  for (let number = 1; number <= 10; number += 1)
    assert.match(await wear(number), /status="completed"/)
  assert.match(await wear(11), /<resource-constraint /)
})
