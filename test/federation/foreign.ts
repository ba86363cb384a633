import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { Authority, type ForeignClient, hasClients, XmppClient } from '@tactus/testkit'
import { type Province, Realm, Speaker } from './realm.ts'
import type { RemoteOptions } from './remote.ts'

const limit = { timeout: 120_000 }
const ours = 'verona.lit'
const theirs = 'mantua.lit'

type How = 'certificate' | 'dialback' | 'direct TLS'

/** What another server of a test is told, besides whom to trust. */
export interface ForeignOptions extends RemoteOptions {
  /** Their password is `secret`. */
  readonly accounts: readonly string[]
  /** It has TLS from the first byte as well (XEP-0368). */
  readonly direct?: boolean
}

/** Another server, of somebody else's making, with rooms at `rooms.<domain>`. */
export interface ForeignServer extends AsyncDisposable {
  readonly address: string
  readonly c2s: number
  readonly s2s: number
  readonly s2sTls: number
  /** What it said. */
  readonly output: string
}

/** A kind of foreign server. */
export interface ForeignKind {
  readonly name: string
  readonly program: ForeignClient
  readonly start: (options: ForeignOptions) => Promise<ForeignServer>
  /** It asks the test's name server for services only, and for the addresses of their hosts the system. */
  readonly asksSystemForHosts?: boolean
}

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

/** One test for each way in which servers believe each other. @param s2s settings of ours, and `about` them */
export function federatesWith(
  kind: ForeignKind,
  { s2s, about = '' }: { readonly s2s?: Province['s2s']; readonly about?: string } = {},
): void {
  const { name, program } = kind
  for (const how of ['certificate', 'dialback', 'direct TLS'] as const)
    test(
      `${name}, by ${how}${about}: messages, subscriptions and rooms both ways`,
      limit,
      async (context) => {
        if (!hasClients(context, program)) return
        await using scene = await meet(how, kind, s2s)
        const { juliet, romeo } = scene
        await talk(scene)
        await subscribe(scene)
        await meetAt(`tomb@rooms.${theirs}`, romeo, juliet)
        await meetAt(`orchard@conference.${ours}`, juliet, romeo)

        // Where certificates are not believed EXTERNAL is refused, and dialback goes on the same stream.
        const authentication = how === 'dialback' ? 'dialback' : 'external'
        const seen = (await streams(scene)).map((stream) =>
          [stream.direction, stream.authentication, stream.tls].join(' '),
        )
        assert.deepEqual(
          [...new Set(seen)].toSorted(),
          ['in', 'out'].map((direction) => `${direction} ${authentication} TLSv1.3`),
        )
      },
    )
}

/** Tactus and another server that find each other; how they believe each other is the argument. */
async function meet(how: How, kind: ForeignKind, s2s: Province['s2s']): Promise<Scene> {
  await using started = new AsyncDisposableStack()
  const federation = { dialback: how === 'dialback' ? [theirs] : [] }
  const realm = started.use(await Realm.of({ domain: ours, federation, ...(s2s && { s2s }) }))
  // Nobody believes the other's certificate where dialback is to show who one is.
  const vouching = how === 'dialback' ? started.use(new Authority()) : realm.authority
  const folder = join(realm.authority.folder, 'remote')
  const options = {
    domain: theirs,
    address: '127.0.0.2',
    resolver: realm.names.address,
    ...vouching.issue(folder, theirs, [`DNS:${theirs}`, `DNS:rooms.${theirs}`]),
    authority: vouching.file,
    dialback: how === 'dialback',
  }
  const direct = how === 'direct TLS'
  const remote = started.use(await kind.start({ ...options, direct, accounts: ['romeo'] }))
  showWay(realm, remote, { ...kind, direct })
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
/** Tells the name server where both are. */
function showWay(
  realm: Realm,
  remote: ForeignServer,
  { direct, asksSystemForHosts = false }: { readonly direct: boolean } & Partial<ForeignKind>,
): void {
  const { names } = realm
  const service = direct ? '_xmpps-server' : '_xmpp-server'
  names.services.clear()
  for (const domain of [theirs, `rooms.${theirs}`])
    names.locate(domain, direct ? remote.s2sTls : remote.s2s, remote.address, service)
  const port = realm.server(ours).port(direct ? 's2sTls' : 's2s')
  for (const domain of [ours, `conference.${ours}`]) {
    names.locate(domain, port, '127.0.0.1', service)
    if (asksSystemForHosts)
      names.services.set(`${service}._tcp.${domain}`, [{ host: '127.0.0.1', port }])
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
