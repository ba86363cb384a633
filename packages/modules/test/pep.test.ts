import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { hashInput } from '@tactus/core'
import { type Client, story } from '@tactus/testkit'
import { parseElement } from '@tactus/xml'
import {
  ask,
  comesAndHears,
  comesWith,
  create,
  delay,
  event,
  form,
  item,
  juliet,
  julietBalcony,
  NS,
  options,
  owner,
  publish,
  pubsub,
  replyTo,
  romeoHome,
  software,
  TUNE,
  tune,
} from './pubsub/words.ts'

const tuneReader = software(TUNE)
const GEOLOC = 'http://jabber.org/protocol/geoloc'
const moodReader = software('http://jabber.org/protocol/mood')
const tunes = (title: string) => `<items node='${TUNE}'>${item('current', tune(title))}</items>`
const plays = (client: Client, title: string, extra = '') =>
  publish(client, TUNE, item('current', tune(title)), extra)

/** What a resource hears of a tune that its account's owner, or a contact, plays now. */
const live = (to: Client, title: string, by: Client) =>
  event(to.jid, tunes(title), { rest: replyTo(by.jid) })
/** The same of one that was played before. To others than the account's own resources it takes the way of messages. */
const old = (to: Client, title: string) =>
  event(to.jid, tunes(title), {
    rest:
      to.account === juliet
        ? delay
        : `${delay}<stanza-id xmlns='urn:xmpp:sid:0' id='{any}' by='${to.account}'/>`,
  })

function forget(...clients: readonly Client[]): void {
  for (const client of clients) client.drain()
}

story(
  'XEP-0163 §1.2: a tune comes to contacts that want tunes, and to the account’s own resources',
  async ({ online, connect, befriend }) => {
    const balcony = await online(julietBalcony)
    const chamber = await connect('juliet@capulet.example/chamber')
    const romeo = await online(romeoHome)
    const orchard = await connect('romeo@montague.example/orchard')
    const nurse = await online('nurse@capulet.example/kitchen')
    await befriend(balcony, romeo)
    await befriend(balcony, nurse)
    await comesWith(chamber, tuneReader)
    await comesWith(orchard, tuneReader)
    await comesWith(nurse, moodReader)
    forget(balcony, chamber, romeo, orchard, nurse)

    await plays(balcony, 'Heart’s Ease')

    chamber.receives`${live(chamber, 'Heart’s Ease', balcony)}`
    orchard.receives`${live(orchard, 'Heart’s Ease', balcony)}`
    for (const client of [balcony, romeo, nurse]) await client.receivesNothing()
  },
)

story('XEP-0163 §4.3.3: the publishing resource hears of it too', async ({ connect }) => {
  const balcony = await connect(julietBalcony)
  await comesWith(balcony, tuneReader)
  forget(balcony)

  await balcony.send`<iq type='set' id='p'>${pubsub(`<publish node='${TUNE}'>${item('current', tune('a'))}</publish>`)}</iq>`

  balcony.receivesInAnyOrder`${live(balcony, 'a', balcony)}
    <iq type='result' id='p' to='${balcony.jid}'>${pubsub(`<publish node='${TUNE}'>${item('current')}</publish>`)}</iq>`
})

story(
  'XEP-0163 §4.3.4: who comes online hears the last item, once, of the account and of contacts',
  async ({ online, connect, befriend }) => {
    const balcony = await online(julietBalcony)
    const chamber = await connect('juliet@capulet.example/chamber')
    const orchard = await connect('romeo@montague.example/orchard')
    const romeo = await online(romeoHome)
    await befriend(balcony, romeo)
    await plays(balcony, 'a')
    await plays(balcony, 'b')

    const heard = new RegExp(`to='${orchard.jid}'.*<title>b.*<delay`)
    assert.match((await comesAndHears(orchard, tuneReader, 1)).join(), heard)
    assert.match((await comesAndHears(chamber, tuneReader, 1)).join(), /<title>b<.*<delay/)

    // A change of status is no coming.
    await orchard.send`<presence><show>away</show><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example:client' ver='${tuneReader.ver}'/></presence>`
    await plays(balcony, 'c')
    const messages = orchard.drain().filter(({ name }) => name === 'message')
    assert.equal(messages.length, 1)
    // To go and come again is.
    await orchard.send`<presence type='unavailable'/>`
    assert.equal((await comesAndHears(orchard, tuneReader, 1)).length, 1)
  },
)

story(
  'XEP-0312 §2: who says since when it was gone hears all that came meanwhile',
  async ({ online, connect, befriend }) => {
    const balcony = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await befriend(balcony, romeo)
    await create(balcony, TUNE, { max_items: '5', access_model: 'presence' })
    for (const id of ['a', 'b']) await publish(balcony, TUNE, item(id, tune(id)))
    const titles = async (jid: string, secs: string, count: number): Promise<readonly string[]> => {
      const client = await connect(jid)
      const ago = `<ago xmlns='urn:xmpp:ago:0' secs='${secs}'/>`
      return (await comesAndHears(client, tuneReader, count, ago)).map(
        (message) => /<title>([^<]*)/.exec(message)?.[1] ?? '',
      )
    }

    assert.deepEqual(await titles('romeo@montague.example/orchard', '86400', 2), ['a', 'b'])
    assert.deepEqual(await titles('juliet@capulet.example/chamber', '86400', 2), ['a', 'b'])
    assert.deepEqual(await titles('juliet@capulet.example/cell', 'long', 1), ['b'])
  },
)

story(
  'XEP-0163 §4.3.4: what is not to be sent on presence, or not for this contact, is not',
  async ({ online, connect, befriend }) => {
    const balcony = await online(julietBalcony)
    const romeo = await online(romeoHome)
    await befriend(balcony, romeo)
    const names = ['quiet', 'on_sub', 'closed', 'open']
    await create(balcony, 'quiet', { send_last_published_item: 'never' })
    await create(balcony, 'on_sub', { send_last_published_item: 'on_sub' })
    await create(balcony, 'closed', { access_model: 'whitelist' })
    await create(balcony, 'open', { access_model: 'open' })
    for (const name of names) await publish(balcony, name, item('1', tune(name)))
    const orchard = await connect('romeo@montague.example/orchard')

    const messages = await comesAndHears(orchard, software(...names), 1)

    assert.equal(messages.length, 1)
    assert.match(messages[0] ?? '', /node='open'/)
  },
)

story(
  'XEP-0163 §7.1: a new subscription to presence brings the last items, a lost one ends them',
  async ({ online, connect, befriend }) => {
    const balcony = await online(julietBalcony)
    const romeo = await connect(romeoHome)
    await comesWith(romeo, tuneReader)
    await plays(balcony, 'a')
    forget(romeo, balcony)

    await romeo.send`<presence to='${juliet}' type='subscribe'/>`
    await balcony.send`<presence to='${romeo.account}' type='subscribed'/>`
    await romeo.arrived(2)
    romeo.receivesInAnyOrder`${old(romeo, 'a')}`
    await befriend(balcony, romeo)
    await plays(balcony, 'b')
    assert.equal(romeo.drain().length, 1)

    await balcony.send`<presence to='${romeo.account}' type='unsubscribed'/>`
    forget(romeo)
    await plays(balcony, 'c')
    await romeo.receivesNothing()
  },
)

story(
  'XEP-0163 §4: of a node that is not for a contact it hears nothing, whatever it wants',
  async ({ online, connect, befriend }) => {
    const balcony = await online(julietBalcony)
    const romeo = await connect(romeoHome)
    await comesWith(romeo, software('closed', 'group', 'open'))
    await befriend(balcony, romeo)
    await create(balcony, 'closed', { access_model: 'whitelist' })
    await create(balcony, 'group', { access_model: 'roster', roster_groups_allowed: 'Lovers' })
    await create(balcony, 'open', { access_model: 'open' })

    for (const name of ['closed', 'group', 'open'])
      await publish(balcony, name, item('1', tune('x')))

    const heard = romeo.drain().map(String)
    assert.equal(heard.length, 1)
    assert.match(heard[0] ?? '', /node='open'/)
  },
)

story('XEP-0163 §4.3.3: who is blocked hears nothing', async ({ online, connect, befriend }) => {
  const balcony = await online(julietBalcony)
  const romeo = await connect(romeoHome)
  await comesWith(romeo, tuneReader)
  await befriend(balcony, romeo)
  await balcony.send`<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='${romeo.account}'/></block></iq>`
  forget(romeo)

  await plays(balcony, 'a')

  await romeo.receivesNothing()
})

story(
  'XEP-0060 §7.1.2, §7.2.2: without payloads, without notifications, and retractions',
  async ({ connect }) => {
    const balcony = await connect(julietBalcony)
    await comesWith(balcony, software('bare', 'silent'))
    forget(balcony)
    await create(balcony, 'bare', { deliver_payloads: '0', max_items: '5' })
    await create(balcony, 'silent', { deliver_notifications: '0' })

    const heardAfter = async (content: string): Promise<string[]> => {
      await balcony.send`<iq type='set' id='x'>${pubsub(content)}</iq>`
      return balcony
        .drain()
        .filter(({ name }) => name === 'message')
        .map((message) => /<items.*<\/items>/.exec(String(message))?.[0] ?? '')
    }
    const retract = (notify: string) =>
      `<retract node='bare' ${notify}>${item(notify === '' ? 'b' : 'a')}</retract>`
    const publishing = (node: string, id: string) =>
      `<publish node='${node}'>${item(id, tune(id))}</publish>`

    assert.deepEqual(await heardAfter(publishing('bare', 'a')), [
      "<items node='bare'><item id='a'/></items>",
    ])
    assert.deepEqual(await heardAfter(publishing('silent', 'a')), [])
    await heardAfter(publishing('bare', 'b'))
    assert.deepEqual(await heardAfter(retract("notify='1'")), [
      "<items node='bare'><retract id='a'/></items>",
    ])
    // §16.4.3: unless the node is configured to.
    assert.deepEqual(await heardAfter(retract('')), [])
  },
)

story('XEP-0060 §4.3: a transient node tells and forgets', async ({ connect }) => {
  const balcony = await connect(julietBalcony)
  await comesWith(balcony, software('bell'))
  await create(balcony, 'bell', { persist_items: '0', deliver_payloads: '0' })
  forget(balcony)

  await balcony.send`<iq type='set' id='x'>${pubsub("<publish node='bell'/>")}</iq>`

  const [message] = balcony.drain()
  assert.match(String(message), /<items node='bell'\/>/)
  assert.equal(
    await ask(balcony, 'get', pubsub("<items node='bell'/>")),
    pubsub("<items node='bell'/>"),
  )
})

story(
  'XEP-0060 §8.2.5: a changed configuration is told where that is wanted',
  async ({ connect }) => {
    const balcony = await connect(julietBalcony)
    await comesWith(balcony, software('loud'))
    await create(balcony, 'loud', { notify_config: '1' })
    forget(balcony)

    await balcony.send`<iq type='set' id='x'>${owner(`<configure node='loud'>${form('node_config', { title: 'Loud' })}</configure>`)}</iq>`

    const [message] = balcony.drain().filter(({ name }) => name === 'message')
    assert.match(String(message), /<configuration node='loud'>.*Loud/)
  },
)

story(
  'XEP-0115 §5.4, V45: what does not have the hash that was announced is not believed',
  async ({ connect, online }) => {
    const balcony = await connect(julietBalcony)
    const chamber = await connect('juliet@capulet.example/chamber')
    const hall = await online('juliet@capulet.example/hall')
    const poison = { ver: software(GEOLOC).ver, info: tuneReader.info }

    await comesWith(balcony, poison)
    await comesWith(chamber, software(GEOLOC))
    forget(balcony, chamber)
    await plays(hall, 'a')
    await balcony.receivesNothing()

    // Nor did it spoil what is known of that hash.
    await publish(hall, GEOLOC, item('1', tune('x')))
    assert.equal(chamber.drain().length, 1)
  },
)

story(
  'XEP-0390 §5: software that announces itself in the newer way is heard too',
  async ({ connect, online }) => {
    const balcony = await connect(julietBalcony)
    const hall = await online('juliet@capulet.example/hall')
    const query = `<query xmlns='http://jabber.org/protocol/disco#info'>${tuneReader.info}</query>`
    const value = createHash('sha256')
      .update(hashInput(parseElement(query)) ?? '')
      .digest('base64')
    balcony.drain()

    await balcony.send`<presence><c xmlns='urn:xmpp:caps'><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>${value}</hash></c></presence>`
    const question = balcony.drain().find(({ type }) => type === 'get')
    assert.match(String(question), /node='urn:xmpp:caps#sha-256\./)
    await balcony.send`<iq type='result' id='${question?.id}' to='${juliet}'>${query}</iq>`
    await plays(hall, 'a')

    assert.equal(balcony.drain().length, 1)
  },
)

story('XEP-0115 §5.4: software is asked once, whoever comes with it', async ({ connect }) => {
  const reader = software('urn:example:once')
  const one = await connect(julietBalcony)
  const other = await connect(romeoHome)
  await comesWith(one, reader)

  await other.send`<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example:other' ver='${reader.ver}'/></presence>`

  // On another router it may have to be asked again.
  assert(other.drain().filter(({ name }) => name === 'iq').length <= 1)
})

story(
  'SECURITY, V40: nobody answers in the place of a resource, nor what was not asked',
  async ({ connect, online }) => {
    const balcony = await connect(julietBalcony)
    const hall = await online('juliet@capulet.example/hall')
    const tybalt = await online('tybalt@capulet.example/hall')
    const reader = software(TUNE, 'urn:example:nobody')
    await balcony.send`<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example:client' ver='${reader.ver}'/></presence>`
    const question = balcony.drain().find(({ type }) => type === 'get')
    assert(question)

    for (const [client, id] of [
      [tybalt, question.id],
      [hall, question.id],
      [balcony, 'other'],
    ] as const)
      await client.send`<iq type='result' id='${id}' to='${juliet}'><query xmlns='http://jabber.org/protocol/disco#info'>${reader.info}</query></iq>`
    await plays(hall, 'a')

    await balcony.receivesNothing()
  },
)

story(
  'SECURITY: notifications of contacts come from their accounts, and carry nothing else',
  async ({ connect, online, befriend }) => {
    const balcony = await connect(julietBalcony)
    const romeo = await online(romeoHome)
    await comesWith(balcony, tuneReader)
    await befriend(balcony, romeo)
    const forged = `<message xmlns='jabber:client' from='nurse@capulet.example' type='headline'><event xmlns='${NS}#event'>${tunes('forged')}</event></message>`

    await romeo.send`<iq type='result' id='x' to='${juliet}'><notify xmlns='urn:tactus:pep:0'>${forged}</notify></iq>`

    await balcony.receivesNothing()
  },
)

story(
  'a resource that asks for last items gets those it may have',
  async ({ online, befriend }) => {
    const balcony = await online(julietBalcony)
    const romeo = await online(romeoHome)
    const tybalt = await online('tybalt@capulet.example/hall')
    await befriend(balcony, romeo)
    await plays(balcony, 'a')
    await publish(balcony, 'closed', item('1', tune('x')), options({ access_model: 'whitelist' }))
    const arrived = `<arrived xmlns='urn:tactus:pep:0'><node name='${TUNE}'/><node name='closed'/></arrived>`

    for (const client of [romeo, tybalt])
      await client.send`<iq type='result' id='x' to='${juliet}'>${arrived}</iq>`
    await romeo.arrived(1)

    romeo.receives`${old(romeo, 'a')}`
    for (const client of [romeo, tybalt]) await client.receivesNothing()
  },
)
