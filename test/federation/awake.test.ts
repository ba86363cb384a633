import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { canOwnServices, ownPostgres, ownRedis, TestServer } from '@tactus/testkit'
import { Realm, Speaker } from './realm.ts'

interface Listed {
  readonly streams: readonly { readonly direction: string; readonly instance: string }[]
}

const ours = 'verona.lit'
const theirs = 'mantua.lit'
/** Far fewer than there would be in the time for which a domain that is not found is not looked for again. */
const mostTries = 20

test('RFC 6120 §10.4: a domain that was not found is gone to at once when its server opens a stream, to whatever connection manager', {
  timeout: 180_000,
}, async (context) => {
  if (!canOwnServices(context)) return
  await using redis = await ownRedis()
  await using postgres = await ownPostgres()
  await using realm = await Realm.of({ domain: theirs })
  await using cluster = await TestServer.cluster(
    { redis, postgres },
    realm.settings({ domain: ours }),
  )
  await cluster.addUser(`juliet@${ours}`, 'secret')
  const juliet = new Speaker(await cluster.login(`juliet@${ours}/balcony`, 'secret', 0))
  const romeo = await realm.login(`romeo@${theirs}/exile`)
  const say = (id: string): void =>
    juliet.say(`<message to='${romeo.jid}' id='${id}' type='chat'><body>${id}</body></message>`)
  realm.names.services.clear()

  say('lost')
  await juliet.hears("id='lost'", 'remote-server-not-found')
  let holder: string | undefined
  while (holder === undefined) {
    const { streams } = (await cluster.command('s2s list', { domain: theirs })) as Listed
    holder = streams.find(({ direction }) => direction === 'out')?.instance
  }
  const other = cluster.doors.findIndex(({ ready }) => ready.instance !== holder)
  realm.names.locate(ours, cluster.port('s2s', other))
  realm.names.locate(theirs, realm.server(theirs).port('s2s'))
  romeo.say(`<message to='${juliet.jid}' type='chat'><body>here</body></message>`)
  await juliet.hears('<body>here')

  const isAt = ({ heard }: Speaker, id: string): boolean =>
    heard.some((text) => text.includes(`id='${id}'`))
  let tries = 0
  for (let isThere = false; !isThere; tries += 1) {
    assert.ok(tries < mostTries, 'none of them arrived')
    const id = `n${tries}`
    say(id)
    while (!isAt(romeo, id) && !isAt(juliet, id)) await pause(20)
    isThere = isAt(romeo, id)
  }
})
