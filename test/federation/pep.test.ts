import assert from 'node:assert/strict'
import { test } from 'node:test'
import { item, pubsub, software, TUNE, tune } from '../../packages/modules/test/pubsub/words.ts'
import { Realm, type Speaker } from './realm.ts'

const limit = { timeout: 120_000 }
const juliet = 'juliet@verona.lit'
const romeo = 'romeo@mantua.lit'
const MOOD = 'http://jabber.org/protocol/mood'

let asked = 0

async function publish(speaker: Speaker, title: string, node = TUNE): Promise<void> {
  asked += 1
  const content = pubsub(`<publish node='${node}'>${item('current', tune(title))}</publish>`)
  speaker.say(`<iq type='set' id='p${asked}'>${content}</iq>`)
  await speaker.hears(`id='p${asked}'`, "type='result'")
}

/** Comes online as one who wants to hear of subscriptions (RFC 6121 §2.2). */
async function comes(speaker: Speaker): Promise<void> {
  speaker.say("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>")
  await speaker.hears("id='roster'", "type='result'")
}

/** One lets the other see its presence. */
async function letIn(owner: Speaker, other: Speaker): Promise<void> {
  const [account, contact] = [owner.jid.split('/')[0], other.jid.split('/')[0]]
  other.say(`<presence to='${account}' type='subscribe'/>`)
  await owner.hears("type='subscribe'", `from='${contact}'`)
  owner.say(`<presence to='${contact}' type='subscribed'/>`)
  await other.hears("type='subscribed'", `from='${account}'`)
}

const presence = ({ ver }: ReturnType<typeof software>, more = ''): string =>
  `<presence>${more}<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example:client' ver='${ver}'/></presence>`

/** Answers what somebody asks of a client's software. */
async function tells(
  speaker: Speaker,
  by: string,
  { ver, info }: ReturnType<typeof software>,
): Promise<void> {
  const question = await speaker.hears('disco#info', "type='get'", `from='${by}'`, ver)
  const id = /\sid='([^']*)'/.exec(question)?.[1]
  speaker.say(
    `<iq type='result' id='${id}' to='${by}'><query xmlns='http://jabber.org/protocol/disco#info' node='urn:example:client#${ver}'>${info}</query></iq>`,
  )
}

const events = (speaker: Speaker): readonly string[] =>
  speaker.heard.filter((text) => text.includes('pubsub#event'))

/** Whatever was sent to somebody before this has come. */
async function settled(from: Speaker, to: Speaker): Promise<void> {
  asked += 1
  from.say(`<message to='${to.jid}' type='chat'><body>after ${asked}</body></message>`)
  await to.hears(`after ${asked}`)
}

test(
  'XEP-0163 §4.3.2, §4.3.4: a contact on another server hears of what it wants to know',
  limit,
  async () => {
    await using realm = await Realm.of({ domain: 'verona.lit' }, { domain: 'mantua.lit' })
    const exile = await realm.login(`${romeo}/exile`)
    const balcony = await realm.login(`${juliet}/balcony`)
    for (const speaker of [exile, balcony]) await comes(speaker)
    await letIn(exile, balcony)
    await letIn(balcony, exile)
    const reader = software(TUNE)

    // §4.3.4: who comes gets the last item, as soon as it is known what it wants.
    await publish(balcony, 'a')
    exile.say(presence(reader))
    await tells(exile, juliet, reader)
    const last = await exile.hears('pubsub#event', '<title>a<')
    assert.match(last, /<delay/)
    assert.match(
      last,
      new RegExp(`from='${juliet}'.* to='${romeo}/exile'|to='${romeo}/exile'.* from='${juliet}'`),
    )

    await publish(balcony, 'b')
    const live = await exile.hears('pubsub#event', '<title>b<')
    // §4.3.1: from the account, naming the resource that said it.
    assert.match(live, /type='headline'/)
    assert.match(
      live,
      new RegExp(
        `type='replyto'[^>]*jid='${juliet}/balcony'|jid='${juliet}/balcony'[^>]*type='replyto'`,
      ),
    )

    // A change of status is no coming, and of what it does not want it hears nothing.
    exile.say(presence(reader, '<show>away</show>'))
    await balcony.hears('away')
    await publish(balcony, 'x', MOOD)
    await settled(balcony, exile)
    assert.equal(events(exile).length, 2)

    // To go and come again is, and what its software wants is known now.
    exile.say("<presence type='unavailable'/>")
    await balcony.hears("type='unavailable'")
    await publish(balcony, 'c')
    exile.say(presence(reader))
    assert.match(await exile.hears('pubsub#event', '<title>c<'), /<delay/)
    const questions = exile.heard.filter(
      (text) => text.includes('disco#info') && text.includes(`from='${juliet}'`),
    )
    assert.equal(questions.length, 1)

    // §4.3.3: who is blocked hears nothing, nor who may not see the presence any more.
    balcony.say(
      `<iq type='set' id='block'><block xmlns='urn:xmpp:blocking'><item jid='${romeo}'/></block></iq>`,
    )
    await balcony.hears("id='block'", "type='result'")
    await publish(balcony, 'd')
    balcony.say("<iq type='set' id='unblock'><unblock xmlns='urn:xmpp:blocking'/></iq>")
    await balcony.hears("id='unblock'", "type='result'")
    balcony.say(`<presence to='${romeo}' type='unsubscribed'/>`)
    await exile.hears("type='unsubscribed'")
    await publish(balcony, 'e')
    await settled(balcony, exile)
    assert.equal(events(exile).length, 3)

    // §7.1: who is let in again gets the last item.
    await letIn(balcony, exile)
    assert.match(await exile.hears('pubsub#event', '<title>e<'), /<delay/)
  },
)

test(
  'XEP-0115 §5.4, SECURITY: nor is another server believed that says what does not have the hash',
  limit,
  async () => {
    await using realm = await Realm.of({ domain: 'verona.lit' }, { domain: 'mantua.lit' })
    const exile = await realm.login(`${romeo}/exile`)
    const balcony = await realm.login(`${juliet}/balcony`)
    for (const speaker of [exile, balcony]) await comes(speaker)
    await letIn(exile, balcony)
    await letIn(balcony, exile)

    const poison = { ver: software(MOOD).ver, info: software(TUNE).info }
    exile.say(presence(poison))
    await tells(exile, juliet, poison)
    await settled(exile, balcony)
    await publish(balcony, 'a')
    await settled(balcony, exile)

    assert.deepEqual(events(exile), [])
  },
)

test(
  'resources on other servers that are remembered are bounded: who came first is forgotten',
  limit,
  async () => {
    const settings = { modules: { pubsub: { visitors: 1 } } }
    await using realm = await Realm.of({ domain: 'verona.lit', settings }, { domain: 'mantua.lit' })
    const exile = await realm.login(`${romeo}/exile`)
    const balcony = await realm.login(`${juliet}/balcony`)
    for (const speaker of [exile, balcony]) await comes(speaker)
    await letIn(exile, balcony)
    await letIn(balcony, exile)
    const tomb = await realm.login(`${romeo}/tomb`)
    for (const [speaker, reader] of [
      [exile, software(TUNE)],
      [tomb, software(TUNE, MOOD)],
    ] as const) {
      speaker.say(presence(reader))
      await tells(speaker, juliet, reader)
      await settled(speaker, balcony)
    }

    await publish(balcony, 'a')
    await tomb.hears('pubsub#event', '<title>a<')

    await settled(balcony, exile)
    assert.deepEqual(events(exile), [])
  },
)
