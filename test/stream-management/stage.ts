import { after, type TestContext, test } from 'node:test'
import { clusterServices, SmClient, type SmLogin, TestServer } from '@tactus/testkit'

const password = 'wherefore'

/** What the scenes of stream management happen on: a server with accounts that nobody else uses. */
export class Stage {
  readonly server: TestServer
  readonly #accounts = new Map<string, string>()
  /** How clients come in at a door. */
  readonly #transport: (door: number) => SmLogin['transport']
  static #made = 0

  constructor(server: TestServer, transport: (door: number) => SmLogin['transport']) {
    this.server = server
    this.#transport = transport
  }

  /** A name's bare JID on this stage; makes the account. */
  async account(name: string): Promise<string> {
    const known = this.#accounts.get(name)
    if (known !== undefined) return known
    Stage.#made += 1
    const jid = `${name}${Stage.#made}@${name === 'romeo' ? 'montague' : 'capulet'}.example`
    this.#accounts.set(name, jid)
    await this.server.addUser(jid, password)
    return jid
  }

  async login(name: string, door = 0, resource = 'balcony'): Promise<SmLogin> {
    const transport = this.#transport(door)
    return { jid: `${await this.account(name)}/${resource}`, password, door, transport }
  }

  /** Bound, without stream management. */
  async bound(name: string, door = 0): Promise<SmClient> {
    return await SmClient.bound(this.server, await this.login(name, door))
  }

  /** Bound, with a resumable session. */
  async managed(name: string, door = 0, resource?: string): Promise<SmClient> {
    return await SmClient.managed(this.server, await this.login(name, door, resource))
  }

  /** {@link managed}, and available. */
  async online(name: string, door = 0, resource?: string): Promise<SmClient> {
    const client = await this.managed(name, door, resource)
    client.send('<presence/>')
    await client.settle()
    client.drain('presence')
    return client
  }

  /** Authenticated and no more; at another door than where sessions begin, where there is one. */
  async back(name: string, door = 1): Promise<SmClient> {
    return await SmClient.authenticate(this.server, await this.login(name, door))
  }

  /** Makes two accounts see each other's presence. */
  async befriend(one: string, other: string): Promise<void> {
    const [first, second] = [await this.account(one), await this.account(other)]
    const [here, there] = [await this.bound(one), await this.bound(other)]
    for (const client of [here, there]) client.send('<presence/>')
    await Promise.all([here.settle(), there.settle()])
    here.send(`<presence type='subscribe' to='${second}'/>`)
    await there.take(({ type }) => type === 'subscribe', 'the request')
    there.send(`<presence type='subscribed' to='${first}'/>`)
    there.send(`<presence type='subscribe' to='${first}'/>`)
    await here.take(({ type }) => type === 'subscribe', 'the request back')
    here.send(`<presence type='subscribed' to='${second}'/>`)
    await there.take(({ from }) => from === here.jid, 'presence')
    await here.take(({ from }) => from === there.jid, 'presence back')
    await here.close()
    // Else it could be taken for a later one.
    await there.take(({ type }) => type === 'unavailable', 'the end')
    await there.close()
  }
}

/** A message; `id` and body are the same text. */
export function message(to: string, text: string, type = 'chat'): string {
  return `<message to='${to}' type='${type}' id='${text}'><body>${text}</body></message>`
}

export type Tell = (title: string, scene: (stage: Stage) => Promise<void>) => void

type Kind = 'cluster' | 'standalone' | 'websocket'

/**
 * Registers tests that run against a standalone server and against two clusters, one server each for all tests of the
 * file. In a cluster door 0 and door 1 are different connection managers; in the second, odd doors are for WebSocket.
 */
export function stages(
  settings: Readonly<Record<string, unknown>>,
  tell: (tell: Tell) => void,
  kinds: readonly Kind[] = ['standalone', 'cluster', 'websocket'],
): void {
  const cluster = async (context: TestContext): Promise<TestServer | undefined> => {
    const services = await clusterServices(context)
    return services && (await TestServer.cluster(services, settings))
  }
  for (const kind of kinds)
    onStage(kind, kind === 'standalone' ? () => TestServer.standalone(settings) : cluster, tell)
}

function onStage(
  kind: Kind,
  start: (context: TestContext) => Promise<TestServer | undefined>,
  tell: (tell: Tell) => void,
): void {
  const name = kind === 'websocket' ? 'cluster, TCP and WebSocket' : kind
  const transport = (door: number): SmLogin['transport'] =>
    kind === 'websocket' && door % 2 === 1 ? 'websocket' : 'tcp'
  let shared: Promise<TestServer | undefined> | undefined
  after(async () => {
    await (await shared)?.[Symbol.asyncDispose]()
  })
  tell((title, scene) => {
    test(`${title} (${name})`, { timeout: 60_000 }, async (context) => {
      shared ??= start(context)
      const server = await shared
      if (!server) return void context.skip('no cluster here')
      try {
        await scene(new Stage(server, transport))
      } catch (error) {
        context.diagnostic(server.output)
        throw error
      }
    })
  })
}
