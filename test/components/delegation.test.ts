import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { TestServer } from '@tactus/testkit'
import { Realm, type Speaker } from '../federation/realm.ts'
import { Player } from './company.ts'

const ours = 'verona.lit'
const scribe = `scribe.${ours}`
const secret = 'the secret of the players'
const limit = { timeout: 120_000 }

const info = 'http://jabber.org/protocol/disco#info'
const items = 'http://jabber.org/protocol/disco#items'
const poem = 'urn:example:poem'
const bare = 'urn:xmpp:delegation:2:bare:disco'

/** What was forwarded: the ids of both requests, and all that came. */
interface Heard {
  readonly outer: string
  readonly text: string
}

describe('XEP-0355: a component that manages namespaces', limit, () => {
  let realm: Realm
  let juliet: Speaker
  let nurse: Speaker
  let romeo: Speaker
  let stage: number
  let player: Player

  before(async () => {
    const permissions = { iq: { [poem]: 'both' } }
    const delegations = {
      [poem]: [],
      'jabber:iq:private': ['kind'],
      'http://jabber.org/protocol/pubsub': ['managed'],
      [`${bare}#info:*`]: [],
      [`${bare}#items:*`]: [],
    }
    realm = await Realm.of(
      {
        domain: ours,
        settings: {
          components: {
            [scribe]: { secret, delegations, permissions },
            [`masks.${ours}`]: { secret },
            [`absent.${ours}`]: { secret, wait: '0s', delegations: { 'urn:example:absent': [] } },
          },
          limits: { rates: 'off' },
        },
      },
      { domain: 'mantua.lit' },
    )
    juliet = await realm.login(`juliet@${ours}/balcony`)
    nurse = await realm.login(`nurse@${ours}/hall`)
    romeo = await realm.login('romeo@mantua.lit/exile')
    stage = realm.server(ours).port('component')
    player = await Player.enter(stage, scribe, secret)
  })
  after(async () => {
    player?.drop()
    await realm?.[Symbol.asyncDispose]()
  })

  /** The next request that is forwarded to the component, with this in it. */
  const forwarded = async (part: string, by = player): Promise<Heard> => {
    const text = await by.hears(
      new RegExp(`<iq [^>]*>(?:(?!</forwarded>).)*${part}.*?</forwarded></delegation></iq>`, 's'),
    )
    const outer = /<iq [^>]*?id='([^']*)'[^>]*><delegation/.exec(text)?.[1] ?? assert.fail(text)
    return { outer, text }
  }
  const answer = (outer: string, inner: string): string =>
    `<iq from='${scribe}' to='${ours}' id='${outer}' type='result'><delegation xmlns='urn:xmpp:delegation:2'>` +
    `<forwarded xmlns='urn:xmpp:forward:0'>${inner}</forwarded></delegation></iq>`
  const result = (id: string, to: string, payload = ''): string =>
    `<iq xmlns='jabber:client' id='${id}' to='${to}' type='result'>${payload}</iq>`
  const verse = `<verse xmlns='${poem}'/>`

  test('§4.2: is told which, as soon as it is there', async () => {
    using second = await Player.enter(stage, scribe, secret)
    await second.hears(/<message [^>]*from='verona.lit'[^>]*><privilege/)
    const told = await second.hears(/<message [^>]*><delegation .*<\/message>/)
    assert.match(told, /xmlns='urn:xmpp:delegation:2'/)
    assert.match(told, new RegExp(`<delegated namespace='${poem}'/>`))
    assert.match(
      told,
      /<delegated namespace='jabber:iq:private'><attribute name='kind'\/><\/delegated>/,
    )
  })

  test('§4.3: gets what an account asks of itself or its host, and its answer goes to who asked', async () => {
    for (const [id, to] of [
      ['a1', undefined],
      ['a2', `juliet@${ours}`],
      ['a3', ours],
    ] as const) {
      juliet.say(`<iq id='${id}' type='set'${to ? ` to='${to}'` : ''}>${verse}</iq>`)
      const { outer, text } = await forwarded(`id='${id}'`)
      assert.match(text, new RegExp(`<iq [^>]*from='${ours}'`))
      assert.match(text, new RegExp(`<iq [^>]*from='${juliet.jid}'`))
      assert.match(text, /<iq [^>]*xmlns='jabber:client'/)
      player.say(answer(outer, result(id, juliet.jid, `<done xmlns='${poem}'/>`)))
      const heard = await juliet.hears(`id='${id}'`)
      assert.match(heard, /type='result'.*<done/)
      assert.equal(/ from='([^']*)'/.exec(heard)?.[1], to)
    }
  })

  test('§4.3: gets what others ask an account or its host, from here and from elsewhere', async () => {
    for (const [speaker, id, to] of [
      [nurse, 'o1', `juliet@${ours}`],
      [romeo, 'o2', `juliet@${ours}`],
      [romeo, 'o3', ours],
    ] as const) {
      speaker.say(`<iq id='${id}' type='get' to='${to}'>${verse}</iq>`)
      const { outer } = await forwarded(`id='${id}'`)
      player.say(answer(outer, result(id, speaker.jid)))
      await speaker.hears(`id='${id}'`, "type='result'", `from='${to}'`)
    }
  })

  test('§4.3: is the business of bare addresses only, and of accounts that there are', async () => {
    nurse.say(`<iq id='f1' type='get' to='${juliet.jid}'>${verse}</iq>`)
    await juliet.hears("id='f1'", poem)
    juliet.say(`<iq id='f3' type='get' to='${ours}/x'>${verse}</iq>`)
    await juliet.hears("id='f3'", '<service-unavailable')
    romeo.say(`<iq id='f2' type='get' to='nobody@${ours}'>${verse}</iq>`)
    await romeo.hears("id='f2'", '<service-unavailable')
    assert.doesNotMatch(player.unheard, /id='f\d'/)
  })

  test('§4.3: an answer that is bad, or an error, is service-unavailable', async () => {
    const bad: readonly ((id: string) => string)[] = [
      (id) => result(id, nurse.jid),
      () => result('another', juliet.jid),
      (id) => result(id, juliet.jid).replace("type='result'", "type='error'"),
      (id) => result(id, juliet.jid).replace('<iq ', `<iq from='${nurse.jid}' `),
      (id) => result(id, juliet.jid, "<a xmlns='u:a'/><b xmlns='u:b'/>"),
      () => '',
    ]
    for (const [index, inner] of bad.entries()) {
      const id = `bad${index}`
      juliet.say(`<iq id='${id}' type='set'>${verse}</iq>`)
      const { outer } = await forwarded(`id='${id}'`)
      player.say(answer(outer, inner(id)))
      await juliet.hears(`id='${id}'`, "type='error'", '<service-unavailable')
    }
    juliet.say(`<iq id='error' type='set'>${verse}</iq>`)
    const { outer } = await forwarded("id='error'")
    player.say(
      `<iq from='${scribe}' to='${ours}' id='${outer}' type='error'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
    )
    await juliet.hears("id='error'", "type='error'", '<service-unavailable')
  })

  test('§4.3: nobody else answers in its place, and it answers nothing that was not asked', async () => {
    using mask = await Player.enter(stage, `masks.${ours}`, secret)
    juliet.say(`<iq id='n1' type='set'>${verse}</iq>`)
    const { outer } = await forwarded("id='n1'")
    const [key = ''] = outer.split('.')
    const forged = answer(outer, result('n1', juliet.jid, "<forged xmlns='u:f'/>"))
    mask.say(forged.replace(scribe, `masks.${ours}`))
    for (const speaker of [nurse, romeo]) speaker.say(forged.replace(` from='${scribe}'`, ''))
    for (const speaker of [nurse, romeo])
      speaker.say(
        forged.replace(
          ` from='${scribe}' to='${ours}' id='${outer}'`,
          ` to='juliet@${ours}' id='${key}'`,
        ),
      )
    // Someone at the component is not the component.
    player.say(forged.replace(`from='${scribe}'`, `from='x@${scribe}'`))
    player.say(
      answer(`unasked.${outer.split('.')[1]}`, result('n1', juliet.jid, "<forged xmlns='u:f'/>")),
    )
    // What each said before is there once it is answered behind it.
    mask.say(
      `<iq from='masks.${ours}' to='${ours}' id='m' type='get'><query xmlns='${info}' node='none'/></iq>`,
    )
    await mask.hears("id='m'")
    for (const speaker of [nurse, romeo]) {
      speaker.say(
        `<iq id='behind' to='${ours}' type='get'><query xmlns='${info}' node='none'/></iq>`,
      )
      await speaker.hears("id='behind'")
    }
    player.say(answer(outer, result('n1', juliet.jid, "<true xmlns='u:t'/>")))
    await juliet.hears("id='n1'", '<true')
    assert.equal(
      juliet.heard.some((text) => text.includes('forged')),
      false,
    )
  })

  test('§4.3: one that is not there is service-unavailable', async () => {
    juliet.say("<iq id='away' type='get'><a xmlns='urn:example:absent'/></iq>")
    await juliet.hears("id='away'", "type='error'", '<service-unavailable')
  })

  test('§4.3: what lacks the filtering attribute is answered here', async () => {
    juliet.say(
      "<iq id='p1' type='get'><query xmlns='jabber:iq:private'><a xmlns='u:a'/></query></iq>",
    )
    await juliet.hears("id='p1'", "type='result'", '<a xmlns')
    juliet.say("<iq id='p2' type='get'><query xmlns='jabber:iq:private' kind='x'/></iq>")
    const { outer } = await forwarded("id='p2'")
    player.say(
      answer(outer, result('p2', juliet.jid, "<query xmlns='jabber:iq:private'>its own</query>")),
    )
    await juliet.hears("id='p2'", 'its own')
  })

  test('§4.3.1: what it asks itself is not sent back to it, in its name or an account’s (XEP-0356 §6)', async () => {
    player.say(`<iq from='${scribe}' to='juliet@${ours}' id='s1' type='get'>${verse}</iq>`)
    await player.hears(/id='s1'[^>]*><.*<service-unavailable/)
    player.say(
      `<iq from='${scribe}' to='juliet@${ours}' id='s2' type='get'><privileged_iq xmlns='urn:xmpp:privilege:2'>` +
        `<iq xmlns='jabber:client' id='i2' type='get'>${verse}</iq></privileged_iq></iq>`,
    )
    await player.hears(/<iq type='result' id='s2'.*id='i2'.*<service-unavailable/)
  })

  test('§7.2.4, §7.2.5: discovery of nodes that the server does not know, and items of accounts', async () => {
    for (const [id, query] of [
      ['d1', `<query xmlns='${info}' node='urn:example:node'/>`],
      ['d2', `<query xmlns='${items}' node='urn:example:node'/>`],
      ['d3', `<query xmlns='${items}'/>`],
    ] as const) {
      juliet.say(`<iq id='${id}' to='juliet@${ours}' type='get'>${query}</iq>`)
      const { outer } = await forwarded(`id='${id}'`)
      player.say(answer(outer, result(id, juliet.jid, query)))
      await juliet.hears(`id='${id}'`, "type='result'")
    }
    // Items only for who may see the account, and nodes of the host are the server's.
    romeo.say(`<iq id='d4' to='juliet@${ours}' type='get'><query xmlns='${items}'/></iq>`)
    await romeo.hears("id='d4'", '<service-unavailable')
    juliet.say(
      `<iq id='d5' to='${ours}' type='get'><query xmlns='${info}' node='urn:example:node'/></iq>`,
    )
    await juliet.hears("id='d5'", '<item-not-found')
  })

  test('§7.2.1, §7.2.2, §7.2.3: what it says of its namespaces is told instead of what is here', async () => {
    const ask = (id: string, to: string): void =>
      juliet.say(`<iq id='${id}' to='${to}' type='get'><query xmlns='${info}'/></iq>`)
    const tell = async (node: string, content: string): Promise<void> => {
      const heard = await player.hears(new RegExp(`node='${node}'/></iq>`))
      const id = [...heard.matchAll(/<iq [^>]*?id='([^']*)'/g)].at(-1)?.[1] ?? assert.fail(heard)
      player.say(
        `<iq from='${scribe}' to='${ours}' id='${id}' type='result'><query xmlns='${info}' node='${node}'>${content}</query></iq>`,
      )
    }
    const form =
      "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE'><value>u:form</value></field></x>"
    const pubsub = 'http://jabber.org/protocol/pubsub'
    for (const [to, separator] of [
      [ours, '::'],
      [`juliet@${ours}`, ':bare:'],
    ] as const) {
      ask(`n${separator}`, to)
      await tell(
        `urn:xmpp:delegation:2${separator}${poem}`,
        `<feature var='${poem}#sonnet'/>${form}`,
      )
      await tell(`urn:xmpp:delegation:2${separator}jabber:iq:private`, '')
      await tell(
        `urn:xmpp:delegation:2${separator}${pubsub}`,
        `<identity category='pubsub' type='pep' name='of the scribe'/><feature var='${pubsub}#publish'/>`,
      )
      const heard = await juliet.hears(`id='n${separator}'`, "type='result'")
      for (const part of [`var='${poem}#sonnet'`, 'u:form', 'of the scribe', `${pubsub}#publish'`])
        assert.ok(heard.includes(part), part)
      assert.equal(heard.includes(`${pubsub}#auto-create`), false)
      assert.equal(heard.match(/category='pubsub'/g)?.length, 1)
      if (to === ours) assert.match(heard, /var='urn:xmpp:delegation:2'/)
      else assert.match(heard, /category='account' type='registered'/)
      // §9, rule 2: it is not asked each time.
      ask(`again${separator}`, to)
      await juliet.hears(`id='again${separator}'`, `var='${poem}#sonnet'`)
    }
    assert.doesNotMatch(player.unheard, /disco#info/)
  })

  test('§10, §8 rule 5: what is never delegated, or twice, is no configuration', async () => {
    const start = (components: Record<string, unknown>): Promise<unknown> =>
      TestServer.standalone({ hosts: { [ours]: {} }, components })
    for (const namespace of ['urn:xmpp:delegation:2', 'urn:ietf:params:xml:ns:xmpp-sasl', info])
      await assert.rejects(
        start({ [scribe]: { secret, delegations: { [namespace]: [] } } }),
        /is never delegated; namespaces of requests such as/,
      )
    await assert.rejects(
      start({
        [scribe]: { secret, delegations: { [poem]: [] } },
        [`masks.${ours}`]: { secret, delegations: { [poem]: [] } },
      }),
      /is delegated to scribe\.verona\.lit already/,
    )
  })
})
