import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { Authority, hasClients, XmppClient } from '@tactus/testkit'
import { Prosody } from './prosody.ts'
import { Realm, Speaker } from './realm.ts'

const limit = { timeout: 90_000 }
const ours = 'verona.lit'
const theirs = 'mantua.lit'

interface Listed {
  readonly streams: readonly { readonly direction: string; readonly authentication: string }[]
}

/** Tactus and a Prosody that find each other; how it believes others is the argument. */
async function meet(
  how: 'certificate' | 'dialback',
): Promise<AsyncDisposable & { realm: Realm; juliet: Speaker; romeo: Speaker; remote: Prosody }> {
  await using started = new AsyncDisposableStack()
  const realm = started.use(await Realm.of({ domain: ours }))
  const stranger = started.use(new Authority())
  const folder = join(realm.authority.folder, 'prosody')
  const names = [`DNS:${theirs}`, `DNS:rooms.${theirs}`]
  const remote = started.use(
    await Prosody.start({
      domain: theirs,
      address: '127.0.0.2',
      resolver: realm.names.address,
      ...realm.authority.issue(folder, theirs, names),
      authority: how === 'certificate' ? realm.authority.file : stranger.file,
      dialback: how === 'dialback',
      accounts: ['romeo'],
    }),
  )
  realm.names.locate(theirs, remote.s2s, '127.0.0.2')
  realm.names.locate(`rooms.${theirs}`, remote.s2s, '127.0.0.2')
  const juliet = await realm.login(`juliet@${ours}/balcony`)
  const client = await XmppClient.login({
    host: remote.address,
    port: remote.c2s,
    jid: `romeo@${theirs}/exile`,
    password: 'secret',
  })
  started.defer(() => client.drop())
  const resources = started.move()
  return {
    realm,
    juliet,
    romeo: new Speaker(client),
    remote,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

const proofs = async (realm: Realm): Promise<readonly (readonly string[])[]> =>
  ((await realm.server(ours).command('s2s list', { domain: theirs })) as Listed).streams.map(
    ({ direction, authentication }) => [direction, authentication],
  )

for (const how of ['certificate', 'dialback'] as const)
  test(`Prosody, by ${how}: messages and subscriptions both ways`, limit, async (context) => {
    if (!hasClients(context, 'prosody')) return
    await using scene = await meet(how)
    const { juliet, romeo, realm } = scene

    juliet.say(`<message to='romeo@${theirs}/exile' type='chat'><body>Come</body></message>`)
    await romeo.hears('Come', `from='juliet@${ours}/balcony'`)
    romeo.say(`<message to='juliet@${ours}/balcony' type='chat'><body>Soon</body></message>`)
    await juliet.hears('Soon', `from='romeo@${theirs}/exile'`)

    for (const speaker of [juliet, romeo]) {
      speaker.say("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq><presence/>")
      await speaker.hears("id='r'", "type='result'")
    }
    romeo.say(`<presence to='juliet@${ours}' type='subscribe'/>`)
    await juliet.hears("type='subscribe'", `from='romeo@${theirs}'`)
    juliet.say(`<presence to='romeo@${theirs}' type='subscribed'/>`)
    await romeo.hears("type='subscribed'", `from='juliet@${ours}'`)
    juliet.say('<presence><status>reading</status></presence>')
    await romeo.hears('reading')

    // Where it does not believe our certificate it refuses EXTERNAL, and dialback goes on the same stream.
    const authentication = how === 'certificate' ? 'external' : 'dialback'
    assert.deepEqual(
      (await proofs(realm)).find(([direction]) => direction === 'out'),
      ['out', authentication],
    )
  })

test('Prosody: a room there is joined from here', limit, async (context) => {
  if (!hasClients(context, 'prosody')) return
  await using scene = await meet('certificate')
  const { juliet, romeo } = scene
  const room = `tomb@rooms.${theirs}`
  const join = (nick: string): string =>
    `<presence to='${room}/${nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`

  romeo.say(join('romeo'))
  await romeo.hears("code='201'")
  romeo.say(
    `<iq to='${room}' type='set' id='o'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`,
  )
  await romeo.hears("id='o'", "type='result'")
  juliet.say(join('juliet'))
  await juliet.hears(`from='${room}/juliet'`, "code='110'")
  juliet.say(`<message to='${room}' type='groupchat'><body>O happy dagger</body></message>`)
  await romeo.hears('O happy dagger', "type='groupchat'")
  await juliet.hears('O happy dagger', "type='groupchat'")
})
