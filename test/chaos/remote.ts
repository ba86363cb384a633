import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { XmppClient } from '@tactus/testkit'
import { type Stanza, xml } from '@tactus/xml'
import { Prosody } from '../federation/prosody.ts'
import { Realm } from '../federation/realm.ts'
import { Ledger, type Verdict } from './ledger.ts'
import { ManagedClient } from './managed-client.ts'
import { World } from './world.ts'

/** Other servers: one that resumes streams, and one that acknowledges and does not resume. */
export const remotes = ['tactus', 'prosody'] as const
export type RemoteName = (typeof remotes)[number]

/** What is run against other servers, for how long. */
export interface RemoteChaosOptions {
  /** Whom we talk to; the stream to each in turn is what a kill is for. */
  readonly with: readonly RemoteName[]
  /** How often the connection manager that has the stream is killed. */
  readonly kills: number
  /** Messages per second in each direction and to each server. */
  readonly rate: number
  readonly say: (text: string) => void
}

/** What became of what went to another server and came from it; what that did itself is not counted in the rest. */
interface RemoteVerdict extends Verdict {
  readonly remote: RemoteName
  /** What the other server did itself with what its people sent. */
  readonly itself: {
    /** It gave these back to their sender, as its log says too; they may have arrived all the same. */
    readonly returned: number
    /** These it wrote when its stream had just begun, before it counts what it sends, and they did not arrive. */
    readonly lost: number
    readonly reordered: number
  }
}

/** What a run showed of each other server, in both directions. */
export interface RemoteReport {
  readonly kills: number
  readonly verdicts: readonly RemoteVerdict[]
  readonly errors: readonly string[]
}

const ours = 'verona.lit'
const domains: Readonly<Record<RemoteName, string>> = {
  tactus: 'mantua.lit',
  prosody: 'padua.lit',
}
const address = '127.0.0.2'
const beat = 50
/** Time in which a stream has nothing left that waited for it, ms. */
const flowing = 1_500
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
  /** Conditions with which their server gave back what it was to send to us. */
  readonly returned: string[] = []
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

  /** The one at the other server. */
  get them(): string {
    return this.#them.jid
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
    if (stanza.type === 'error') this.#failed(stanza, by)
    else if (stanza.name === 'message') this.ledger.received(stanza.id ?? '', by, where)
  }

  /** Their server says by an error that it did not get something to us; that ours gives nothing back is promised. */
  #failed(stanza: Stanza, by: string): void {
    const condition = givenUp.find((each) => String(stanza).includes(`<${each} `))
    if (by !== this.#them.jid || condition === undefined || stanza.id === undefined)
      return void this.errors.push(String(stanza).slice(0, 300))
    this.returned.push(condition)
    this.ledger.settle(stanza.id, 'unknown')
  }
}

/**
 * Kills the connection manager that has the stream to another server again and again, while messages go both ways to one
 * that resumes streams (XEP-0198 §5) and to a Prosody, which does not.
 */
export async function runRemoteChaos(options: RemoteChaosOptions): Promise<RemoteReport> {
  const { kills, rate, say } = options
  await using started = new AsyncDisposableStack()
  const limits = { rates: 'off', sendQueue: { stanzas: 10_000, bytes: '16MiB' } }
  const realm = started.use(await Realm.of({ domain: domains.tactus, settings: { limits } }))
  const settings = { ...realm.settings({ domain: ours }), limits }
  const world = started.use(await World.start({ cms: 3, settings }))
  locate(realm, world)
  const talks = new Map<RemoteName, Correspondence>()
  const prosody = options.with.includes('prosody')
    ? started.use(await startProsody(realm))
    : undefined
  for (const name of options.with) {
    const us = `${name}@${ours}`
    await world.addUsers([us])
    const them = await (prosody && name === 'prosody'
      ? friar(prosody)
      : realm.login(`romeo@${domains.tactus}/exile`).then(({ client }) => client))
    let attempt = 0
    const port = (): number => world.ports[attempt++ % world.ports.length] ?? 1
    const talk = new Correspondence({ jid: `${us}/r`, password: world.password, port }, them)
    talks.set(name, talk)
    started.defer(() => talk.stop())
    await talk.start(rate)
  }
  await harm({ world, realm, talks, kills, say })
  const all = [...talks.values()]
  for (const talk of all) talk.quiet()
  const until = performance.now() + settleWithin
  while (all.some(({ isOpen }) => isOpen) && performance.now() < until) await pause(100)
  // What is doubled comes late.
  await pause(2_000)
  return {
    kills,
    verdicts: [...talks].map(([name, talk]) => verdictOf(name, talk, prosody)),
    errors: [
      ...all.flatMap(({ errors }) => errors),
      ...(prosody ? unexplained(prosody, talks.get('prosody')?.returned.length ?? 0) : []),
    ],
  }
}

async function harm({
  world,
  realm,
  talks,
  kills,
  say,
}: {
  readonly world: World
  readonly realm: Realm
  readonly talks: ReadonlyMap<RemoteName, Correspondence>
} & Pick<RemoteChaosOptions, 'kills' | 'say'>): Promise<void> {
  const begun = performance.now()
  const names = [...talks.keys()]
  let successor: Promise<void> = Promise.resolve()
  for (let done = 0; done < kills; done += 1) {
    const name = names[done % names.length] ?? 'tactus'
    // In turn just when it has the stream, with all that waited under way, and when that has had time to arrive.
    const killed = await killHolder(world, domains[name], done % 2 === 0 ? 0 : flowing)
    // Whoever takes over is there already; the one that was killed is replaced before the next is.
    await successor
    successor = replace(world, realm)
    const seen = [...talks].map(([remote, { ledger }]) => {
      const { delivered, doubled } = ledger.verdict()
      return `${remote} ${delivered} delivered, ${doubled.length} doubled`
    })
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1)
    say(`${seconds} s  kill ${done + 1}: ${killed} with the stream to ${name}; ${seen.join('; ')}`)
  }
  await successor
}

function verdictOf(
  remote: RemoteName,
  { ledger, returned, them }: Correspondence,
  prosody: Prosody | undefined,
): RemoteVerdict {
  const verdict = ledger.verdict()
  const none = { returned: 0, lost: 0, reordered: 0 }
  if (remote === 'tactus' || prosody === undefined) return { ...verdict, remote, itself: none }
  const isTheirs = (id: string): boolean => id.startsWith(`${them}>`)
  const lost = verdict.lost.filter(isTheirs).slice(0, flushed(prosody))
  const reordered = verdict.reordered.filter(isTheirs)
  return {
    ...verdict,
    remote,
    lost: verdict.lost.filter((id) => !lost.includes(id)),
    reordered: verdict.reordered.filter((id) => !reordered.includes(id)),
    itself: { returned: returned.length, lost: lost.length, reordered: reordered.length },
  }
}

/** What is broken of the promises: everything arrives once and in order, and with one that does not resume at least once. */
function broken({ remote, lost, doubled, reordered, foreign }: RemoteVerdict): number {
  const repeated = remote === 'tactus' ? doubled.length : 0
  return lost.length + foreign.length + reordered.length + repeated
}

/** Whether every promise was kept. */
export function isRemoteGood({ verdicts, errors }: RemoteReport): boolean {
  return errors.length === 0 && verdicts.every((verdict) => broken(verdict) === 0)
}

/** A report for people. */
export function renderRemote(report: RemoteReport): string {
  const line = ({ remote, itself, ...verdict }: RemoteVerdict): string =>
    [
      `${remote}: ${verdict.sent} sent`,
      `${verdict.accepted} accepted`,
      `${verdict.delivered} delivered`,
      `${verdict.lost.length} lost`,
      `${verdict.doubled.length} doubled`,
      `${verdict.reordered.length} reordered`,
      `by itself it gave back ${itself.returned}, lost ${itself.lost} and reordered ${itself.reordered}`,
    ].join(', ')
  return [
    `${report.kills} kills`,
    ...report.verdicts.map(line),
    ...report.errors.slice(0, 10),
    isRemoteGood(report) ? 'every promise was kept' : 'PROMISES WERE BROKEN',
  ].join('\n')
}

/** Kills whoever has had the stream that we opened to a server for so long. Answers who that was. */
async function killHolder({ server }: World, remote: string, after: number): Promise<string> {
  for (;;) {
    const listing = server.command('s2s list', { domain: remote }) as Promise<Listed>
    // Who was killed a moment ago may still be asked.
    const { streams } = await listing.catch((): Listed => ({ streams: [] }))
    const open = streams.find(({ direction, state }) => direction === 'out' && state === 'open')
    const door = server.doors.find(({ ready }) => ready.instance === open?.instance)
    if (door && open) {
      await pause(after)
      await door.process.kill()
      server.forget(door.process)
      return open.instance
    }
    await pause(200)
  }
}

/** Another connection manager for one that was killed. */
async function replace(world: World, realm: Realm): Promise<void> {
  locate(realm, world)
  await world.server.startConnectionManager()
  locate(realm, world)
}

/** Conditions with which Prosody gives back what it has for another server while there is no stream to that. */
const givenUp = ['remote-server-timeout', 'remote-server-not-found']

/** How many stanzas Prosody's log tells of in lines such as this. */
const told = ({ output }: Prosody, line: RegExp): number =>
  [...output.matchAll(line)].reduce((sum, [, count]) => sum + Number(count), 0)

/** What Prosody gave back is what it says in its log that it did: no error that comes to its client is ours. */
function unexplained(prosody: Prosody, returned: number): readonly string[] {
  const admitted = told(prosody, /error replies for (\d+) queued stanzas/g)
  return returned > admitted
    ? [`${returned} came back to Prosody's client, and it gave back ${admitted}`]
    : []
}

/** What waited for a stream it writes before that is counted (mod_smacks: "counting them is weird"). */
const flushed = (prosody: Prosody): number =>
  told(prosody, /sending (\d+) queued stanzas across new outgoing connection/g)

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

async function startProsody({ authority, names }: Realm): Promise<Prosody> {
  const domain = domains.prosody
  const options = {
    domain,
    address,
    resolver: names.address,
    ...authority.issue(join(authority.folder, 'prosody'), domain),
    authority: authority.file,
    dialback: false,
    accounts: ['friar'],
  }
  const prosody = await Prosody.start(options, { resends: true, logs: 'debug' })
  names.locate(domain, prosody.s2s, address)
  return prosody
}

async function friar({ c2s }: Prosody): Promise<XmppClient> {
  const client = await XmppClient.login({
    host: address,
    port: c2s,
    jid: `friar@${domains.prosody}/cell`,
    password: 'secret',
  })
  client.send(xml('presence', { xmlns: 'jabber:client' }))
  return client
}

function message(to: string, id: string): ReturnType<typeof xml> {
  const body = xml('body', {}, 'Parting is such sweet sorrow.')
  return xml('message', { xmlns: 'jabber:client', to, id, type: 'chat' }, body)
}
