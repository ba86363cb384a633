import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Realm, type Speaker } from '../federation/realm.ts'
import { Player } from './company.ts'
import { biboumi, echo, ngircd } from './programs.ts'

const ours = 'verona.lit'
const plays = `plays.${ours}`
const secret = 'the secret of the players'
const limit = { timeout: 120_000 }

describe('XEP-0114: a component', limit, () => {
  let realm: Realm
  let juliet: Speaker
  let romeo: Speaker
  let stage: number

  before(async () => {
    realm = await Realm.of(
      {
        domain: ours,
        settings: {
          components: {
            [plays]: { secret },
            [`hasty.${ours}`]: { secret, wait: '0s' },
            [`masks.${ours}`]: { secret },
            [`irc.${ours}`]: { secret },
            [`echo.${ours}`]: { secret },
            [`page.${ours}`]: {
              secret,
              permissions: {
                roster: 'both',
                message: 'outgoing',
                presence: 'managed_entity',
                iq: { 'jabber:iq:private': 'both', 'urn:xmpp:ping': 'get' },
              },
            },
            [`clerk.${ours}`]: { secret, permissions: { roster: 'get', push: 'false' } },
          },
          limits: {
            rates: 'off',
            components: { connections: 2, stanzas: 20, stalled: '2s' },
            sendQueue: { stanzas: 1_000, bytes: '64MiB' },
          },
        },
      },
      { domain: 'mantua.lit' },
    )
    for (const domain of [plays, `irc.${ours}`])
      realm.names.locate(domain, realm.server(ours).port('s2s'))
    juliet = await realm.login(`juliet@${ours}/balcony`)
    romeo = await realm.login('romeo@mantua.lit/exile')
    stage = realm.server(ours).port('component')
  })
  after(() => realm[Symbol.asyncDispose]())

  const enter = (domain = plays): Promise<Player> => Player.enter(stage, domain, secret)

  test('§3: proves its domain by a secret, and is sent away without', async () => {
    const liar = await Player.at(stage, plays)
    await liar.shake('another secret')
    await liar.hears('<not-authorized')
    const silent = await Player.at(stage, plays)
    silent.say(`<message from='${plays}' to='${juliet.jid}'><body>x</body></message>`)
    await silent.hears('<not-authorized')
    const stranger = await Player.at(stage, `nowhere.${ours}`)
    await stranger.hears('<host-unknown')
    const host = await Player.at(stage, ours)
    await host.hears('<host-unknown')
    assert.deepEqual(juliet.unheard, [])
  })

  test('§3: exchanges stanzas with accounts, in jabber:component:accept', async () => {
    const player = await enter()
    juliet.say(`<message to='nurse@${plays}/a' id='m1' type='chat'><body>Ay me!</body></message>`)
    const heard = await player.hears('</message>')
    assert.match(heard, new RegExp(`from='${juliet.jid}'`))
    assert.match(heard, new RegExp(`to='nurse@${plays}/a'`))
    assert.doesNotMatch(heard, /jabber:client/)
    player.say(
      `<message from='nurse@${plays}/a' to='${juliet.jid}' type='chat'><body>Anon!</body></message>`,
    )
    await juliet.hears(`from='nurse@${plays}/a'`, 'Anon!')

    juliet.say(`<iq to='${plays}' id='q1' type='get'><query xmlns='urn:x'/></iq>`)
    await player.hears(/<iq [^>]*id='q1'/)
    player.say(`<iq from='${plays}' to='${juliet.jid}' id='q1' type='result'/>`)
    await juliet.hears("id='q1'", "type='result'")
    player.say(
      `<iq from='${plays}' to='${ours}' id='q2' type='get'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
    )
    await player.hears(/<iq [^>]*id='q2'[^>]*>.*disco#info/)
    player.drop()
  })

  test('V38: speaks for its own domain and no other', async () => {
    for (const from of [juliet.jid, `juliet@${ours}`, `x@masks.${ours}`, 'romeo@mantua.lit', '']) {
      const player = await enter()
      player.say(`<message from='${from}' to='${juliet.jid}'><body>I am she</body></message>`)
      await player.hears('<invalid-from')
    }
    assert.equal(
      juliet.heard.some((text) => text.includes('I am she')),
      false,
    )
  })

  test('RFC 6120 §8.1.1.1: an address that is none goes back, and the stream stays', async () => {
    const player = await enter()
    player.say(`<message from='${plays}' id='bad' to='@@'><body>x</body></message>`)
    await player.hears(/id='bad'.*<jid-malformed/)
    player.say(`<iq from='${plays}' to='nobody@${ours}/x' id='none' type='get'><a xmlns='b'/></iq>`)
    await player.hears(/id='none'.*<service-unavailable/)
    player.drop()
  })

  test('RFC 6121 §3: takes part in subscriptions and gets presence', async () => {
    const player = await enter()
    juliet.say("<iq id='r' type='get'><query xmlns='jabber:iq:roster'/></iq><presence/>")
    await juliet.hears("id='r'")
    juliet.say(`<presence to='tybalt@${plays}' type='subscribe'/>`)
    await player.hears(/<presence [^>]*type='subscribe'/)
    player.say(
      `<presence from='tybalt@${plays}' to='juliet@${ours}' type='subscribed'/>` +
        `<presence from='tybalt@${plays}' to='juliet@${ours}' type='subscribe'/>`,
    )
    await juliet.hears("subscription='to'")
    juliet.say(`<presence to='tybalt@${plays}' type='subscribed'/>`)
    await player.hears(/<presence [^>]*type='subscribed'/)
    juliet.say('<presence><status>here</status></presence>')
    await player.hears('<status>here</status>')
    player.drop()
  })

  test('RFC 6120 §10.4: another server reaches it, and is reached, as a domain of ours', async () => {
    const player = await enter()
    romeo.say(`<message to='nurse@${plays}' type='chat'><body>from afar</body></message>`)
    await player.hears('from afar')
    player.say(
      `<message from='nurse@${plays}' to='${romeo.jid}' type='chat'><body>and back</body></message>`,
    )
    await romeo.hears(`from='nurse@${plays}'`, 'and back')
    romeo.say(`<iq to='${plays}' id='far' type='get'><query xmlns='urn:x'/></iq>`)
    await player.hears(/id='far'/)
    // What cannot be reached comes back to the component.
    player.say(`<message from='${plays}' to='x@nowhere.lit' id='lost'><body>x</body></message>`)
    await player.hears(/id='lost'.*<remote-server-not-found/)
    player.drop()
  })

  test('reaches another component', async () => {
    const [player, mask] = [await enter(), await enter(`masks.${ours}`)]
    player.say(`<message from='a@${plays}' to='b@masks.${ours}'><body>well met</body></message>`)
    await mask.hears('well met')
    mask.say(`<message from='b@masks.${ours}' to='a@${plays}'><body>and you</body></message>`)
    await player.hears('and you')
    player.drop()
    mask.drop()
  })

  test('XEP-0030 §4: is among what belongs to its host', async () => {
    juliet.say(
      `<iq to='${ours}' id='items' type='get'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`,
    )
    await juliet.hears("id='items'", `jid='${plays}'`, `jid='masks.${ours}'`)
  })

  test('is waited for while it is away, up to a bound; or not at all, as configured', async () => {
    juliet.say(`<message to='a@hasty.${ours}' id='h1' type='chat'><body>x</body></message>`)
    await juliet.hears("id='h1'", '<remote-server-timeout')
    const numbers = Array.from({ length: 30 }, (_, number) => number)
    for (const number of numbers)
      juliet.say(`<message to='a@${plays}' id='w${number}'><body>w${number}.</body></message>`)
    await juliet.hears("id='w29'", '<resource-constraint')
    const player = await enter()
    const heard = await player.hears('w19.')
    assert.deepEqual(
      [...heard.matchAll(/<body>w(\d+)\./g)].map((match) => Number(match[1])),
      numbers.slice(0, 20),
    )
    player.drop()
  })

  test('has as many connections as it may, and one that ends is replaced by another', async () => {
    const first = await enter()
    const second = await enter()
    const third = await Player.at(stage, plays)
    await third.shake(secret)
    await third.hears('<conflict')
    first.drop()
    juliet.say(`<message to='a@${plays}' type='chat'><body>still there?</body></message>`)
    await second.hears('still there?')
    second.drop()
  })

  test('does not read: what waits is bounded, and after a while another connection gets it', async () => {
    const sleeper = await enter()
    sleeper.stall()
    const verse = 'x'.repeat(200_000)
    // More than the system takes for a connection, and than may wait here.
    const total = 100
    for (let n = 0; n < total; n += 1)
      juliet.say(
        `<message to='a@${plays}' id='v${n}' type='chat'><body>${n}. ${verse}</body></message>`,
      )
    await juliet.hears(/id='v\d+'/, '<resource-constraint')
    using player = await enter()
    await player.hears(/<body>\d+\. x/)
    sleeper.goOn()
    await sleeper.hears('<connection-timeout')
  })

  test('is added, listed without its secret, and removed by commands', async () => {
    const server = realm.server(ours)
    const domain = `added.${ours}`
    await assert.rejects(
      server.command('component add', { domain: 'added.mantua.lit', secret }),
      /not served here/,
    )
    await server.command('component add', { domain, secret })
    const gate = await Player.enter(stage, domain, secret)
    const list = JSON.stringify(await server.command('component list', {}))
    assert.match(list, new RegExp(`"domain":"${domain}"[^}]*"origin":"command"`))
    assert.match(list, new RegExp(`"domain":"${plays}"[^}]*"origin":"configuration"`))
    assert.equal(list.includes(secret), false)
    assert.equal(server.output.includes(secret), false)
    gate.say(`<message from='${domain}' to='${juliet.jid}'><body>from it</body></message>`)
    await juliet.hears('from it')

    await server.command('component remove', { domain })
    const late = await Player.at(stage, domain)
    await late.shake(secret).catch(() => {})
    await late.hears(/<(not-authorized|host-unknown)/)
    await gate.hears('<host-gone')
  })

  test('XEP-0356 §4: a component that may works on rosters, and is told of their changes', async () => {
    using page = await Player.enter(stage, `page.${ours}`, secret)
    using clerk = await Player.enter(stage, `clerk.${ours}`, secret)
    const told = await page.hears('</message>')
    assert.match(told, /<perm access='roster' type='both' push='true'/)
    assert.match(told, /<perm access='message' type='outgoing'/)
    assert.match(told, /<namespace ns='jabber:iq:private' type='both'/)
    assert.match(await clerk.hears('</message>'), /type='get' push='false'/)
    const ask = (from: string, id: string, type: string, content = ''): string =>
      `<iq from='${from}' to='juliet@${ours}' id='${id}' type='${type}'><query xmlns='jabber:iq:roster'>${content}</query></iq>`

    const item = "<item jid='paris@mantua.lit' name='County'/>"
    page.say(ask(`page.${ours}`, 'r1', 'set', item))
    await page.hears(/<iq [^>]*type='set'.*jid='paris@mantua.lit' name='County'/)
    await page.hears(/<iq type='result' id='r1'/)
    clerk.say(ask(`clerk.${ours}`, 'r2', 'get'))
    await clerk.hears(/type='result' id='r2'.*County/)
    clerk.say(ask(`clerk.${ours}`, 'r3', 'set', item))
    await clerk.hears(/id='r3'.*<forbidden/)
    // Nobody at the component, no other component, and no other host's accounts.
    page.say(ask(`x@page.${ours}`, 'r4', 'get'))
    await page.hears(/id='r4'.*<service-unavailable/)
    using mask = await enter(`masks.${ours}`)
    mask.say(ask(`masks.${ours}`, 'r5', 'get'))
    await mask.hears(/id='r5'.*<service-unavailable/)
  })

  test('XEP-0356 §5: a component that may sends messages in the name of its host and the accounts of it', async () => {
    using page = await Player.enter(stage, `page.${ours}`, secret)
    using mask = await enter(`masks.${ours}`)
    const wrap = (of: string, from: string, body: string): string =>
      `<message from='${of}' to='${ours}' id='${body}'><privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'>` +
      `<message xmlns='jabber:client' from='${from}' to='${romeo.jid}' type='chat'><body>${body}</body></message></forwarded></privilege></message>`
    page.say(wrap(`page.${ours}`, `juliet@${ours}`, 'in-her-name'))
    await romeo.hears(`from='juliet@${ours}'`, 'in-her-name')
    page.say(wrap(`page.${ours}`, ours, 'in-its-name'))
    await romeo.hears(`from='${ours}'`, 'in-its-name')
    for (const from of [juliet.jid, 'x@mantua.lit', `masks.${ours}`]) {
      page.say(wrap(`page.${ours}`, from, 'forged'))
      await page.hears(/id='forged'.*<forbidden/)
    }
    mask.say(wrap(`masks.${ours}`, `juliet@${ours}`, 'masked'))
    await mask.hears(/id='masked'.*<forbidden/)
    assert.equal(
      romeo.heard.some((text) => /forged|masked/.test(text)),
      false,
    )
  })

  test('XEP-0356 §6: a component that may asks in the name of an account, and gets the answer', async () => {
    using page = await Player.enter(stage, `page.${ours}`, secret)
    const ask = (id: string, type: string, inner: string): string =>
      `<iq from='page.${ours}' to='juliet@${ours}' id='${id}' type='${type}'><privileged_iq xmlns='urn:xmpp:privilege:2'>${inner}</privileged_iq></iq>`
    const store =
      "<query xmlns='jabber:iq:private'><poem xmlns='urn:example:poem'>Two households</poem></query>"
    page.say(ask('p1', 'set', `<iq xmlns='jabber:client' id='i1' type='set'>${store}</iq>`))
    await page.hears(/<iq type='result' id='p1'.*<forwarded.*id='i1'/)
    page.say(
      ask(
        'p2',
        'get',
        "<iq xmlns='jabber:client' id='i2' type='get'><query xmlns='jabber:iq:private'><poem xmlns='urn:example:poem'/></query></iq>",
      ),
    )
    await page.hears(/id='p2'.*id='i2'.*Two households/)
    const ping = "<ping xmlns='urn:xmpp:ping'/>"
    page.say(
      ask('p3', 'get', `<iq xmlns='jabber:client' id='i3' type='get' to='mantua.lit'>${ping}</iq>`),
    )
    await page.hears(/<iq type='result' id='p3'.*<forwarded.*id='i3'/)
    const refused: readonly (readonly [string, string])[] = [
      ['set', `<iq xmlns='jabber:client' id='i' type='set'>${ping}</iq>`],
      ['set', `<iq xmlns='jabber:client' id='i' type='get'>${ping}</iq>`],
      ['get', "<iq xmlns='jabber:client' id='i' type='get'><query xmlns='jabber:iq:roster'/></iq>"],
      ['get', `<iq xmlns='jabber:client' from='romeo@${ours}' id='i' type='get'>${ping}</iq>`],
    ]
    for (const [index, [type, inner]] of refused.entries()) {
      page.say(ask(`f${index}`, type, inner))
      await page.hears(new RegExp(`id='f${index}'.*<forbidden`))
    }
  })

  test('XEP-0356 §7.1: a component that may hears who comes and goes', async () => {
    using page = await Player.enter(stage, `page.${ours}`, secret)
    await page.hears('</message>')
    const nurse = await realm.login(`nurse@${ours}/hall`)
    nurse.say('<presence><status>come</status></presence>')
    await page.hears(new RegExp(`<presence [^>]*from='${nurse.jid}'.*come`))
    nurse.say("<presence><status>again</status></presence><presence type='unavailable'/>")
    const heard = await page.hears(/<presence [^>]*type='unavailable'/)
    assert.doesNotMatch(heard, /again/)
  })

  test('slixmpp: a component made with it attaches, and answers messages and requests', async () => {
    await using player = echo('echo', { domain: `echo.${ours}`, secret, port: stage })
    await player.expect('started')
    juliet.say(`<message to='x@echo.${ours}' type='chat'><body>Hello</body></message>`)
    await juliet.hears(`from='x@echo.${ours}'`, 'echo heard Hello')
    juliet.say(
      `<iq to='echo.${ours}' id='info' type='get'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
    )
    await juliet.hears("id='info'", "type='result'", 'http://jabber.org/protocol/disco#info')
    juliet.say(`<iq to='echo.${ours}' id='ping' type='get'><ping xmlns='urn:xmpp:ping'/></iq>`)
    await juliet.hears("id='ping'", "type='result'")
  })

  test('biboumi: two accounts, here and elsewhere, talk in a channel of an IRC server', async () => {
    const irc = '127.0.73.1'
    using _server = ngircd(irc)
    using _gateway = biboumi({ domain: `irc.${ours}`, secret, port: stage })
    juliet.say(
      `<iq to='irc.${ours}' id='gate' type='get'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
    )
    await juliet.hears("id='gate'", "type='result'", "type='irc'")
    juliet.say(
      `<iq to='irc.${ours}' id='list' type='get'><query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/></iq>`,
    )
    await juliet.hears("id='list'", "type='result'", "node='ping'")
    juliet.say(
      `<iq to='irc.${ours}' id='run' type='set'><command xmlns='http://jabber.org/protocol/commands' node='ping' action='execute'/></iq>`,
    )
    await juliet.hears("id='run'", "status='completed'")

    const channel = `#verona%${irc}@irc.${ours}`
    const join = "<x xmlns='http://jabber.org/protocol/muc'/>"
    juliet.say(`<presence to='${channel}/juliet'>${join}</presence>`)
    await juliet.hears(`from='${channel}/juliet'`, '110')
    romeo.say(`<presence to='${channel}/romeo'>${join}</presence>`)
    await romeo.hears(`from='${channel}/romeo'`, '110')
    await juliet.hears(`from='${channel}/romeo'`, '<presence')
    juliet.say(`<message to='${channel}' type='groupchat'><body>Ay me!</body></message>`)
    await romeo.hears(`from='${channel}/juliet'`, 'Ay me!')
    romeo.say(`<message to='${channel}' type='groupchat'><body>She speaks</body></message>`)
    await juliet.hears(`from='${channel}/romeo'`, 'She speaks')
  })
})
