import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { XmppClient } from '@tactus/testkit'
import { type Stanza, xml } from '@tactus/xml'
import { Prosody } from '../federation/prosody.ts'
import { Realm } from '../federation/realm.ts'
import { Ledger, type Verdict } from './ledger.ts'
import { ManagedClient } from './managed-client.ts'
import { World } from './world.ts'

/** What is run against other servers, for how long. */
export interface RemoteChaosOptions {
  /** How often the connection manager that has the stream is killed. */
  readonly kills: number
  /** Messages per second in each direction and to each server. */
  readonly rate: number
  readonly say: (text: string) => void
}

/** What a run showed of each other server, in both directions. */
export interface RemoteReport {
  readonly kills: number
  /** One that resumes streams. */
  readonly resuming: Verdict
  /** One that acknowledges and does not resume: what was under way when the stream broke comes twice. */
  readonly acknowledging: Verdict
  readonly errors: readonly string[]
}

const ours = 'verona.lit'
const resuming = 'mantua.lit'
const acknowledging = 'padua.lit'
const address = '127.0.0.2'
const beat = 50
const settleWithin = 90_000

interface Listed {
  readonly streams: readonly {
    readonly direction: string
    readonly remote: string
    readonly state: string
    readonly instance: string
  }[]
}

/** One of ours and one of another server's, who write to each other all the time. */
class Correspondence {
  readonly ledger = new Ledger()
  readonly errors: string[] = []
  readonly #us: ManagedClient
  readonly #them: XmppClient
  #talk: NodeJS.Timeout | undefined

  constructor(
    us: { readonly jid: string; readonly password: string; readonly port: () => number },
    them: XmppClient,
  ) {
    this.#them = them
    this.#us = new ManagedClient({
      ...us,
      patience: 5_000,
      events: {
        accepted: (id) => this.ledger.settle(id, 'accepted'),
        unknown: (id) => this.ledger.settle(id, 'unknown'),
        received: (stanza, where) => this.#got(stanza, us.jid, where),
        resumed: () => {},
        rebound: () => {},
        ended: () => {},
        violated: (what) => this.errors.push(what),
      },
    })
    them.onStanza = (stanza) => this.#got(stanza, them.jid, { session: 'one', early: false })
  }

  async start(rate: number): Promise<void> {
    await this.#us.start()
    this.#talk = setInterval(() => {
      for (let left = (rate * beat) / 1_000; left > 0; left -= 1) this.#speak()
    }, beat)
  }

  quiet(): void {
    clearInterval(this.#talk)
  }

  get isOpen(): boolean {
    return this.ledger.open > 0 || this.#us.unacked > 0 || !this.#us.isAttached
  }

  async stop(): Promise<void> {
    this.quiet()
    await this.#us.stop()
    this.#them.drop()
  }

  #speak(): void {
    if (this.#us.mayTalk) {
      const id = this.ledger.send(this.#us.jid, this.#them.jid)
      this.#us.send(message(this.#them.jid, id), id)
    }
    const id = this.ledger.send(this.#them.jid, this.#us.jid)
    this.#them.send(message(this.#us.jid, id))
    // Their server stays alive.
    this.ledger.settle(id, 'accepted')
  }

  #got(
    stanza: Stanza,
    by: string,
    where: { readonly session: string; readonly early: boolean },
  ): void {
    if (stanza.type === 'error') this.errors.push(String(stanza).slice(0, 300))
    else if (stanza.name === 'message') this.ledger.received(stanza.id ?? '', by, where)
  }
}

/**
 * Kills the connection manager that has the stream to another server again and again, while messages go both ways to one
 * that resumes streams (XEP-0198 §5) and to a Prosody, which does not.
 */
export async function runRemoteChaos({
  kills,
  rate,
  say,
}: RemoteChaosOptions): Promise<RemoteReport> {
  await using started = new AsyncDisposableStack()
  const limits = { rates: 'off', sendQueue: { stanzas: 10_000, bytes: '16MiB' } }
  const realm = started.use(await Realm.of({ domain: resuming, settings: { limits } }))
  const settings = { ...realm.settings({ domain: ours }), limits }
  const world = started.use(await World.start({ settings }))
  const prosody = started.use(await startProsody(realm))
  locate(realm, world)
  const jids = [`juliet@${ours}`, `nurse@${ours}`] as const
  await world.addUsers(jids)
  const romeo = await realm.login(`romeo@${resuming}/exile`)
  const friar = await XmppClient.login({
    host: address,
    port: prosody.c2s,
    jid: `friar@${acknowledging}/cell`,
    password: 'secret',
  })
  friar.send(xml('presence', { xmlns: 'jabber:client' }))
  let attempt = 0
  const port = (): number => world.ports[attempt++ % world.ports.length] ?? 1
  const us = (jid: string) => ({ jid: `${jid}/r`, password: world.password, port })
  const exact = new Correspondence(us(jids[0]), romeo.client)
  const loose = new Correspondence(us(jids[1]), friar)
  const both = [exact, loose]
  started.defer(async () => void (await Promise.all(both.map((each) => each.stop()))))
  await Promise.all(both.map((each) => each.start(rate)))
  for (let done = 0; done < kills; done += 1) {
    const remote = done % 2 === 0 ? resuming : acknowledging
    await killHolder(world, realm, remote)
    const [one, other] = both.map(({ ledger }) => ledger.verdict())
    say(
      `${done + 1}: ${remote}; ${one?.delivered} and ${other?.delivered} delivered, ${one?.doubled.length} and ${other?.doubled.length} doubled`,
    )
  }
  for (const each of both) each.quiet()
  const until = performance.now() + settleWithin
  while (both.some(({ isOpen }) => isOpen) && performance.now() < until) await pause(100)
  // What is doubled comes late.
  await pause(2_000)
  return {
    kills,
    resuming: exact.ledger.verdict(),
    acknowledging: loose.ledger.verdict(),
    errors: both.flatMap(({ errors }) => errors),
  }
}

/** Whether everything arrived once and in order, and with one that does not resume at least once. */
export function isRemoteGood({
  resuming: exact,
  acknowledging: loose,
  errors,
}: RemoteReport): boolean {
  const { lost, doubled, reordered, foreign } = exact
  const bad = [lost, doubled, reordered, foreign, loose.lost, loose.foreign, errors]
  return bad.every((list) => list.length === 0)
}

/** A report for people. */
export function renderRemote(report: RemoteReport): string {
  const line = (name: string, verdict: Verdict): string =>
    `${name}: ${verdict.sent} sent, ${verdict.accepted} accepted, ${verdict.delivered} delivered, ${verdict.lost.length} lost, ${verdict.doubled.length} doubled, ${verdict.reordered.length} reordered`
  return [
    `${report.kills} kills`,
    line('a server that resumes', report.resuming),
    line('Prosody, which does not', report.acknowledging),
    ...report.errors.slice(0, 10),
    isRemoteGood(report) ? 'every promise was kept' : 'PROMISES WERE BROKEN',
  ].join('\n')
}

/** Kills whoever has the stream that we opened to a server, once there is one, and starts another in its place. */
async function killHolder({ server }: World, realm: Realm, remote: string): Promise<void> {
  for (;;) {
    const listing = server.command('s2s list', { domain: remote }) as Promise<Listed>
    // Who was killed a moment ago may still be asked.
    const { streams } = await listing.catch((): Listed => ({ streams: [] }))
    const open = streams.find(({ direction, state }) => direction === 'out' && state === 'open')
    const door = server.doors.find(({ ready }) => ready.instance === open?.instance)
    if (door) {
      await door.process.kill()
      server.forget(door.process)
      await server.startConnectionManager()
      return locate(realm, { server })
    }
    await pause(200)
  }
}

/** Where we are now: at each connection manager. */
function locate({ names }: Realm, { server }: Pick<World, 'server'>): void {
  names.addresses.set(`host.${ours}`, ['127.0.0.1'])
  names.services.set(
    `_xmpp-server._tcp.${ours}`,
    server.doors.flatMap(({ ready }) =>
      (ready.ports.s2s ?? []).map((port) => ({ host: `host.${ours}`, port })),
    ),
  )
}

async function startProsody(realm: Realm): Promise<Prosody> {
  const { authority, names } = realm
  const prosody = await Prosody.start({
    domain: acknowledging,
    address,
    resolver: names.address,
    ...authority.issue(join(authority.folder, 'prosody'), acknowledging),
    authority: authority.file,
    dialback: false,
    accounts: ['friar'],
  })
  names.locate(acknowledging, prosody.s2s, address)
  return prosody
}

function message(to: string, id: string): ReturnType<typeof xml> {
  const body = xml('body', {}, 'Parting is such sweet sorrow.')
  return xml('message', { xmlns: 'jabber:client', to, id, type: 'chat' }, body)
}
