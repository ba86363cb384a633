import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { Authority, hasClients, XmppClient } from '@tactus/testkit'
import { Prosody } from './prosody.ts'
import { Realm, Speaker } from './realm.ts'

const limit = { timeout: 120_000 }
const ours = 'verona.lit'
const theirs = 'mantua.lit'

type How = 'certificate' | 'dialback' | 'direct TLS'

interface Listed {
  readonly streams: readonly {
    readonly direction: string
    readonly authentication: string
    readonly tls: string
  }[]
}

interface Scene extends AsyncDisposable {
  readonly realm: Realm
  readonly juliet: Speaker
  readonly romeo: Speaker
}

/** Tactus and another server that find each other; how that one believes others is the argument. */
async function meet(how: How): Promise<Scene> {
  await using started = new AsyncDisposableStack()
  const federation = { dialback: how === 'dialback' ? [theirs] : [] }
  const realm = started.use(await Realm.of({ domain: ours, federation }))
  const stranger = started.use(new Authority())
  const folder = join(realm.authority.folder, 'remote')
  const address = '127.0.0.2'
  const options = {
    domain: theirs,
    address,
    resolver: realm.names.address,
    ...realm.authority.issue(folder, theirs, [`DNS:${theirs}`, `DNS:rooms.${theirs}`]),
    authority: how === 'dialback' ? stranger.file : realm.authority.file,
    dialback: how === 'dialback',
  }
  const direct = how === 'direct TLS'
  const remote = started.use(await Prosody.start({ ...options, direct, accounts: ['romeo'] }))
  const { names } = realm
  names.locate(`conference.${ours}`, realm.server(ours).port('s2s'))
  for (const domain of [theirs, `rooms.${theirs}`]) names.locate(domain, remote.s2s, address)
  if (direct) {
    names.services.clear()
    for (const domain of [theirs, `rooms.${theirs}`])
      names.locate(domain, remote.s2sTls, address, '_xmpps-server')
    for (const domain of [ours, `conference.${ours}`])
      names.locate(domain, realm.server(ours).port('s2sTls'), '127.0.0.1', '_xmpps-server')
  }
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
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

async function talk({ juliet, romeo }: Scene): Promise<void> {
  juliet.say(`<message to='romeo@${theirs}/exile' type='chat'><body>Come</body></message>`)
  await romeo.hears('Come', `juliet@${ours}/balcony`)
  romeo.say(`<message to='juliet@${ours}/balcony' type='chat'><body>Soon</body></message>`)
  await juliet.hears('Soon', `from='romeo@${theirs}/exile'`)
}

async function subscribe({ juliet, romeo }: Scene): Promise<void> {
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
}

/** One makes a room at home, the other joins it from afar, and both hear what is said. */
async function meetAt(room: string, host: Speaker, guest: Speaker): Promise<void> {
  const enter = (nick: string): string =>
    `<presence to='${room}/${nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`
  host.say(enter('host'))
  await host.hears(`from='${room}/host'`, "code='201'")
  host.say(
    `<iq to='${room}' type='set' id='o'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`,
  )
  await host.hears("id='o'", "type='result'")
  guest.say(enter('guest'))
  await guest.hears(`from='${room}/guest'`, "code='110'")
  guest.say(`<message to='${room}' type='groupchat'><body>O happy dagger</body></message>`)
  await host.hears('O happy dagger', "type='groupchat'")
  await guest.hears('O happy dagger', "type='groupchat'")
}

const streams = async ({ realm }: Scene): Promise<Listed['streams']> =>
  ((await realm.server(ours).command('s2s list', { domain: theirs })) as Listed).streams

for (const how of ['certificate', 'dialback', 'direct TLS'] as const)
  test(
    `Prosody, by ${how}: messages, subscriptions and rooms both ways`,
    limit,
    async (context) => {
      if (!hasClients(context, 'prosody')) return
      await using scene = await meet(how)
      const { juliet, romeo } = scene
      await talk(scene)
      await subscribe(scene)
      await meetAt(`tomb@rooms.${theirs}`, romeo, juliet)
      await meetAt(`orchard@conference.${ours}`, juliet, romeo)

      // Where it does not believe our certificate it refuses EXTERNAL, and dialback goes on the same stream.
      const authentication = how === 'dialback' ? 'dialback' : 'external'
      const out = (await streams(scene)).find(({ direction }) => direction === 'out')
      assert.deepEqual([out?.authentication, out?.tls], [authentication, 'TLSv1.3'])
    },
  )
