import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Realm, type Speaker } from '../federation/realm.ts'
import { Player } from './company.ts'

const ours = 'verona.lit'
const plays = `plays.${ours}`
const secret = 'the secret of the players'
const limit = { timeout: 60_000 }

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
          },
          limits: { rates: 'off', components: { connections: 2, stanzas: 20 } },
        },
      },
      { domain: 'mantua.lit' },
    )
    realm.names.locate(plays, realm.server(ours).port('s2s'))
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

  test('is added, listed without its secret, and removed by commands', async () => {
    const server = realm.server(ours)
    const domain = `irc.${ours}`
    await assert.rejects(
      server.command('component add', { domain: 'irc.mantua.lit', secret }),
      /not served here/,
    )
    await server.command('component add', { domain, secret })
    const gate = await Player.enter(stage, domain, secret)
    const list = JSON.stringify(await server.command('component list', {}))
    assert.match(list, new RegExp(`"domain":"${domain}"[^}]*"origin":"command"`))
    assert.match(list, new RegExp(`"domain":"${plays}"[^}]*"origin":"configuration"`))
    assert.equal(list.includes(secret), false)
    assert.equal(server.output.includes(secret), false)
    gate.say(`<message from='${domain}' to='${juliet.jid}'><body>from irc</body></message>`)
    await juliet.hears('from irc')

    await server.command('component remove', { domain })
    const late = await Player.at(stage, domain)
    await late.shake(secret).catch(() => {})
    await late.hears(/<(not-authorized|host-unknown)/)
    await gate.hears('<host-gone')
  })
})
