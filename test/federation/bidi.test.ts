import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Realm } from './realm.ts'

const limit = { timeout: 90_000 }
const ours = 'verona.lit'
const theirs = 'mantua.lit'
/** Nothing listens there. */
const nowhere = 1

interface Listed {
  readonly streams: readonly {
    readonly direction: string
    readonly state: string
    readonly authentication: string
  }[]
}

test(
  'XEP-0288 §2.2: a server that cannot be connected to is answered on the stream that it opened',
  limit,
  async () => {
    const s2s = { bidi: true }
    await using realm = await Realm.of({ domain: ours, s2s }, { domain: theirs, s2s })
    realm.names.locate(theirs, nowhere)
    const romeo = await realm.login(`romeo@${theirs}/exile`)
    const juliet = await realm.login(`juliet@${ours}/balcony`)

    romeo.say(`<message to='${juliet.jid}' type='chat'><body>there</body></message>`)
    await juliet.hears('there')
    for (let number = 0; number < 200; number += 1)
      juliet.say(`<message to='${romeo.jid}' type='chat'><body>n${number}</body></message>`)
    await romeo.hears('<body>n199</body>', `from='${juliet.jid}'`)
    romeo.say(`<iq to='${ours}' id='p1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>`)
    await romeo.hears("id='p1'", "type='result'")

    const numbers = romeo.heard.flatMap((text) => /<body>n(\d+)</.exec(text)?.[1] ?? []).map(Number)
    assert.deepEqual(
      numbers,
      Array.from({ length: 200 }, (_, number) => number),
    )
    const { streams } = (await realm.server(ours).command('s2s list', {})) as Listed
    assert.deepEqual(
      streams.map(({ direction, state, authentication }) => [direction, state, authentication]),
      [
        ['in', 'open', 'external'],
        ['out', 'open', 'bidi'],
      ],
    )
  },
)
