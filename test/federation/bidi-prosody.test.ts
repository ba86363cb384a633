import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { hasClients, XmppClient } from '@tactus/testkit'
import { Prosody } from './prosody.ts'
import { Realm, Speaker } from './realm.ts'

const limit = { timeout: 120_000 }
const ours = 'verona.lit'
const theirs = 'mantua.lit'
const address = '127.0.0.2'
/** Nothing listens there. */
const nowhere = 1
const count = 50

interface Listed {
  readonly streams: readonly { readonly direction: string; readonly authentication: string }[]
}

/** Who opens the only stream, and what Tactus has to show for it. */
const cases = {
  Prosody: ['in external', 'out bidi'],
  Tactus: ['out external'],
} as const

for (const [opener, shown] of Object.entries(cases))
  test(
    `XEP-0288 §2.2: Prosody and Tactus, where only ${opener} can open a stream`,
    limit,
    async (context) => {
      if (!hasClients(context, 'prosody')) return
      await using realm = await Realm.of({ domain: ours, s2s: { bidi: true } })
      const options = {
        domain: theirs,
        address,
        resolver: realm.names.address,
        ...realm.authority.issue(join(realm.authority.folder, 'remote'), theirs),
        authority: realm.authority.file,
        dialback: false,
        accounts: ['romeo'],
      }
      await using prosody = await Prosody.start(options, { bidi: true })
      realm.names.locate(theirs, opener === 'Prosody' ? nowhere : prosody.s2s, address)
      if (opener === 'Tactus') realm.names.locate(ours, nowhere)
      const juliet = await realm.login(`juliet@${ours}/balcony`)
      const client = await XmppClient.login({
        host: address,
        port: prosody.c2s,
        jid: `romeo@${theirs}/exile`,
        password: 'secret',
      })
      const romeo = new Speaker(client)
      const say = (from: Speaker, to: Speaker, number: number): void =>
        from.say(`<message to='${to.jid}' type='chat'><body>n${number}</body></message>`)

      const [first, second] = opener === 'Prosody' ? [romeo, juliet] : [juliet, romeo]
      say(first, second, 0)
      await second.hears('<body>n0<')
      say(second, first, 0)
      await first.hears('<body>n0<')
      for (let number = 1; number < count; number += 1) {
        say(first, second, number)
        say(second, first, number)
      }

      for (const speaker of [first, second]) {
        await speaker.hears(`<body>n${count - 1}<`)
        const numbers = speaker.heard.flatMap((text) => /<body>n(\d+)</.exec(text)?.[1] ?? [])
        assert.deepEqual(
          numbers.map(Number),
          Array.from({ length: count }, (_, number) => number),
        )
      }
      const { streams } = (await realm.server(ours).command('s2s list', {})) as Listed
      assert.deepEqual(
        streams.map(({ direction, authentication }) => `${direction} ${authentication}`),
        shown,
      )
      client.drop()
    },
  )
