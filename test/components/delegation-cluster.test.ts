import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canOwnServices, ownPostgres, ownRedis, TestServer } from '@tactus/testkit'
import { Speaker } from '../federation/realm.ts'
import { Player } from './company.ts'

const secret = 'the secret of the players'
const scribe = 'scribe.verona.lit'
const idle = 'idle.mantua.lit'
const poem = 'urn:example:poem'

test('XEP-0355: a forwarded request is answered by whatever router is left, and one that nobody answers is refused', {
  timeout: 240_000,
}, async (context) => {
  if (!canOwnServices(context)) return
  await using redis = await ownRedis()
  await using postgres = await ownPostgres()
  const hasty = { patience: 1, discoveryPatience: 1 }
  await using cluster = await TestServer.cluster(
    { redis, postgres },
    {
      hosts: {
        'verona.lit': { modules: { delegation: { patience: 600, waiting: 1 } } },
        'mantua.lit': { modules: { delegation: hasty } },
      },
      components: {
        [scribe]: { secret, delegations: { [poem]: [] } },
        [idle]: { secret, delegations: { [poem]: [] } },
      },
    },
  )
  const enter = async (jid: string, door: number): Promise<Speaker> => {
    await cluster.addUser(jid, 'secret')
    return new Speaker(await cluster.login(`${jid}/x`, 'secret', door))
  }
  const juliet = await enter('juliet@verona.lit', 0)
  const romeo = await enter('romeo@mantua.lit', 1)
  using player = await Player.enter(cluster.port('component', 1), scribe, secret)
  using idler = await Player.enter(cluster.port('component', 0), idle, secret)

  const asks = async (speaker: Speaker, id: string, to: string): Promise<string> => {
    speaker.say(`<iq id='${id}' type='set' to='${to}'><verse xmlns='${poem}'/></iq>`)
    const text = await player.hears(new RegExp(`id='${id}'.*?</delegation></iq>`, 's'))
    assert.match(text, new RegExp(`from='${speaker.jid}'`))
    return /<iq [^>]*?id='([^']*)'[^>]*><delegation/.exec(text)?.[1] ?? assert.fail(text)
  }
  const answer = (outer: string, id: string, to: string): void =>
    player.say(
      `<iq from='${scribe}' to='verona.lit' id='${outer}' type='result'><delegation xmlns='urn:xmpp:delegation:2'><forwarded xmlns='urn:xmpp:forward:0'>` +
        `<iq xmlns='jabber:client' id='${id}' to='${to}' type='result'/></forwarded></delegation></iq>`,
    )

  const own = await asks(juliet, 'own', 'juliet@verona.lit')
  juliet.say(`<iq id='more' type='set'><verse xmlns='${poem}'/></iq>`)
  await juliet.hears("id='more'", '<resource-constraint')
  const elsewhere = await asks(romeo, 'elsewhere', 'verona.lit')
  await Promise.all(cluster.routers.map((router) => router.kill()))
  await cluster.startRouter()
  answer(own, 'own', juliet.jid)
  answer(elsewhere, 'elsewhere', romeo.jid)
  await juliet.hears("id='own'", "type='result'")
  await romeo.hears("id='elsewhere'", "type='result'", "from='verona.lit'")

  romeo.say(`<iq id='silent' type='set'><verse xmlns='${poem}'/></iq>`)
  await idler.hears("id='silent'")
  await romeo.hears("id='silent'", "type='error'", '<service-unavailable')
  romeo.say(
    "<iq id='info' type='get' to='mantua.lit'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
  )
  await idler.hears(`node='urn:xmpp:delegation:2::${poem}'`)
  await romeo.hears("id='info'", "type='result'", 'urn:xmpp:delegation:2')
})
