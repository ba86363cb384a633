import { type Bus, BusUnavailable, MemoryBroker } from '@tactus/bus'
import { unpack } from 'msgpackr'
import { Engine } from '../../src/engine.ts'
import type { Safeguard } from '../../src/hooks.ts'
import { isShardStream } from '../../src/partition.ts'
import { Away, awayDomain } from './away.ts'
import { SimClient, SimCm, type SimMessage } from './client.ts'
import { type Heard, type MessageKind, SimMachine } from './machine.ts'
import { type BusMutations, type BusService, SimBus } from './sim-bus.ts'
import { Database, type StorageMutations, simStorage } from './sim-storage.ts'
import { noFaults, SimProc, World } from './world.ts'

/** What one run tries. */
export interface Plan {
  readonly seed: number
  readonly routers?: number
  readonly accounts?: number
  readonly messages?: number
  /** The bus may be lost with all it holds. */
  readonly lossy?: boolean
  /** Nothing goes wrong unless a scenario says so. */
  readonly calm?: boolean
  readonly without?: readonly Safeguard[]
  readonly storage?: StorageMutations
  readonly bus?: BusMutations
  readonly anyNumber?: boolean
  readonly log?: boolean
  /** Called before the run, to schedule what a scenario is about. */
  readonly script?: (cluster: Cluster) => void
  readonly kinds?: readonly MessageKind[]
}

const partitions = 4
const names = ['anna', 'bert', 'cora', 'dora', 'emil', 'fred']
/** Virtual ms in which faults happen. */
export const troubled = 6000

const everyKind: readonly MessageKind[] = [
  'durable',
  'durable',
  'plain',
  'plain',
  'multi',
  'away',
  'timer',
  'job',
  'read',
  'throw',
  'poison',
]

/** A simulated cluster: routers, connection managers, clients, one bus, one database. */
export class Cluster {
  readonly plan: Plan
  readonly world: World
  readonly database: Database
  readonly bus: BusService
  readonly away: Away
  readonly clients: SimClient[]
  readonly accounts: string[]
  readonly failpoints: Map<string, number> = new Map()
  readonly routers: Map<SimProc, Engine> = new Map()
  readonly cms: Map<SimProc, SimCm> = new Map()
  readonly problems: Map<string, number> = new Map()
  #boots = 0
  healed = false
  expected = 0

  constructor(plan: Plan) {
    this.plan = plan
    this.world = new World(plan.seed, { log: plan.log ?? false })
    this.database = new Database(this.world, noFaults(), partitions, plan.storage)
    this.bus = {
      world: this.world,
      broker: new MemoryBroker(1),
      faults: noFaults(),
      mutations: plan.bus ?? {},
      fenced: new Set(),
      ghosts: 0,
    }
    this.accounts = names.slice(0, plan.accounts ?? 3).map((name) => `${name}@sim.example`)
    this.away = new Away(this.world, this.bus.broker, () => this.database.incarnation)
    this.away.start()
    const lossy = plan.lossy ?? false
    this.clients = this.accounts.map((account) => new SimClient(this.world, account, lossy))
  }

  async #openBus(proc: SimProc, create: boolean): Promise<Bus> {
    if (this.bus.faults.down) throw new BusUnavailable('down')
    return new SimBus(this.bus, proc, this.database.incarnation, create)
  }

  bootRouter(): SimProc {
    this.#boots += 1
    const proc = new SimProc(this.world, `router${this.#boots}`, (who, point) =>
      this.#failpoint(who, point),
    )
    const machine = new SimMachine(this.accounts, {
      exact: !this.plan.anyNumber,
      lossy: this.plan.lossy ?? false,
      kill: () => this.killRouter(proc),
    })
    const engine = new Engine({
      env: proc.env,
      storage: simStorage(this.database, proc),
      machine,
      partitions,
      openBus: (_, raised) => this.#openBus(proc, raised),
      heartbeat: 400,
      ttl: 1500,
      caps: { frames: this.world.between(2, 12) },
      cachedEntities: this.world.chance() < 0.3 ? 2 : 1000,
      without: new Set(this.plan.without),
      hooks: {
        problem: (event, error) => {
          this.problems.set(event, (this.problems.get(event) ?? 0) + 1)
          this.world.trace(`${proc.name} ${event} ${error instanceof Error ? error.message : ''}`)
          if (event === 'router_failed' || event === 'engine_restart_failed')
            this.world.violate(`${proc.name} ${event}: ${(error as Error)?.stack}`)
        },
      },
    })
    this.routers.set(proc, engine)
    const begin = (): void => {
      engine.start().catch(() => this.world.at(200, () => proc.gate(begin)))
    }
    begin()
    return proc
  }

  bootCm(): SimProc {
    this.#boots += 1
    const proc = new SimProc(this.world, `cm${this.#boots}`)
    const cm = new SimCm({
      proc,
      partitions,
      openBus: async (who) => this.#openBus(who, false),
      onCommitted: (session, seq) => this.#onCommitted(session, seq),
      durable: (session) => this.durable(session),
      onDoubt: () => this.killCm(proc),
    })
    this.cms.set(proc, cm)
    cm.start()
    return proc
  }

  /** `h` after a loss: the last input of a session that left rows. */
  durable(session: string): number {
    const row = this.database.table('progress').find((each) => each.key === session)
    return Number(row?.value ?? 0)
  }

  /** Design §3.6: what was acknowledged is in the store. */
  #onCommitted(session: string, seq: number): void {
    const client = this.clients.find((each) => each.session === session)
    if (!client) return
    let durable = 0
    for (let i = Math.min(seq - 2, client.sent.length - 1); i >= 0 && durable === 0; i -= 1)
      if (leavesRows(client.sent[i]?.kind)) durable = i + 2
    if (this.durable(session) < durable && !this.excused)
      this.world.violate(`${session} was told ${seq}, rows say ${this.durable(session)}`)
  }

  #failpoint(proc: SimProc, point: string): void {
    const left = this.failpoints.get(point)
    if (left === undefined || proc.state === 'killed') return
    if (left > 1) this.failpoints.set(point, left - 1)
    else {
      this.failpoints.delete(point)
      this.world.trace(`failpoint ${point}`)
      this.killRouter(proc)
    }
  }

  killRouter(proc: SimProc): void {
    if (!this.routers.has(proc)) return
    proc.kill()
    this.routers.delete(proc)
    this.world.at(this.world.between(50, 2500), () => this.bootRouter())
  }

  killCm(proc: SimProc): void {
    const cm = this.cms.get(proc)
    if (!cm) return
    proc.kill()
    this.cms.delete(proc)
    this.world.at(this.world.between(20, 2500), () => {
      const next = this.cms.get(this.bootCm())
      for (const { client } of cm.links.values()) next?.connect(client)
    })
  }

  stopRouter(proc: SimProc): void {
    const engine = this.routers.get(proc)
    this.routers.delete(proc)
    void engine?.stop().then(() => this.bootRouter())
  }

  /** Everybody writes to everybody, now and then. */
  write(): void {
    for (const client of this.clients) {
      const counts = new Map<string, number>()
      for (let i = 0; i < (this.plan.messages ?? 8); i += 1)
        client.messages.push(this.#message(client, counts))
      this.#schedule(client)
    }
  }

  /** A message is the k-th of its path; one that comes to nothing has no number. */
  #message({ account, messages }: SimClient, counts: Map<string, number>): SimMessage {
    const others = this.accounts.filter((each) => each !== account)
    const kind = this.world.pick(this.plan.kinds ?? everyKind) ?? 'plain'
    const to = this.world.pick(others) ?? ''
    if (kind === 'throw' || kind === 'poison' || kind === 'kill')
      return { to, id: `${kind}${messages.length}#0`, kind, acked: false }
    const path = `${account}>${kind === 'multi' ? '*' : kind === 'away' ? awayDomain : to}`
    const k = (counts.get(path) ?? 0) + 1
    counts.set(path, k)
    if (kind === 'away') return { to: awayDomain, id: `${path}#${k}`, kind, acked: false }
    this.expected += kind === 'multi' ? others.length : 1
    return { to, id: `${path}#${k}`, kind, acked: false }
  }

  #schedule(client: SimClient): void {
    const span = this.plan.calm && !this.plan.script ? 100 : troubled - 1000
    const times = client.messages.map(() => this.world.between(0, span)).sort((a, b) => a - b)
    for (const [i, message] of client.messages.entries())
      this.world.at(times[i] ?? 0, () => {
        if (!client.sent.includes(message) && !message.acked) client.sent.push(message)
      })
  }

  heal(): void {
    this.healed = true
    Object.assign(this.bus.faults, noFaults())
    Object.assign(this.database.faults, noFaults())
    this.failpoints.clear()
    this.away.down = false
    for (const proc of [...this.routers.keys(), ...this.cms.keys()]) {
      proc.cont()
      proc.skew = 0
    }
    this.world.trace('healed')
  }

  get acked(): boolean {
    return this.clients.every(({ messages }) => messages.every((message) => message.acked))
  }

  /** All of what was acknowledged has had its effects. */
  get settled(): boolean {
    if (!this.healed || !this.acked) return false
    const rows = this.database.table('log')
    const wanted = this.clients.flatMap(({ messages }) => messages)
    if (this.plan.lossy || this.excused) return this.#streamsEmpty()
    const received = this.clients.reduce((sum, client) => sum + client.received, 0)
    const own = wanted.filter(({ kind }) => kind === 'timer' || kind === 'job').length
    const logged = rows.filter(({ path }) => path === 'timer' || path === 'job').length
    return received >= this.expected && logged >= own && this.#streamsEmpty()
  }

  #streamsEmpty(): boolean {
    const { marker } = this.bus.broker
    if (marker === undefined) return false
    const { streams, hashes } = this.bus.broker.state(marker)
    for (const [stream, entries] of streams)
      if (isShardStream(stream) && entries.length > 0) return false
    for (let p = 0; p < partitions; p += 1) {
      if ((streams.get(`p:${p}`)?.length ?? 0) > 0) return false
      if (!hashes.get(`meta:${p}`)?.has('replayed')) return false
    }
    return true
  }

  get deadLetters(): number {
    return this.database.table('dead_letter').length
  }

  /** Chance killed three routers over an innocent input: it was put aside, and nothing more is promised of its path. */
  get excused(): boolean {
    const messages = this.clients.flatMap((client) => client.messages)
    return this.deadLetters > messages.filter(({ kind }) => kind === 'kill').length
  }

  check(): void {
    if (this.excused) return
    const { world, plan } = this
    const rows = this.database.table('log')
    for (const { path, k } of rows)
      if (!plan.lossy && (path === 'bad read' || path === 'failed job'))
        world.violate(`${path} ${k}`)
    for (const client of this.clients)
      for (const message of client.messages) this.#checkMessage(client, message)
    this.away.check(this.clients, plan.lossy ?? false)
    if (!plan.lossy) this.#checkHeard()
    this.#checkOrder()
  }

  #checkMessage({ account }: SimClient, { to, id, kind }: SimClient['messages'][number]): void {
    const [path = '', k] = id.split('#')
    if (!leavesRows(kind) || kind === 'throw' || kind === 'away') return
    const receivers = kind === 'multi' ? this.accounts.filter((each) => each !== account) : [to]
    const rows = this.database.table('log')
    for (const receiver of receivers) {
      const found = rows.filter((r) => r.account === receiver && r.path === path && r.k === k)
      if (found.length !== 1)
        this.world.violate(`${id} of ${account} is ${found.length} times with ${receiver}`)
    }
    if (kind !== 'timer' && kind !== 'job') return
    const own = rows.filter((r) => r.account === account && r.path === kind && r.k === id)
    const missing = own.length === 0 && !this.plan.lossy
    if (own.length > 1 || missing) this.world.violate(`${kind} ${id} happened ${own.length} times`)
  }

  #checkHeard(): void {
    const { marker = 1 } = this.bus.broker
    const { hashes } = this.bus.broker.state(marker)
    for (const account of this.accounts)
      for (const [name, bytes] of hashes.get(`live:${account}`) ?? []) {
        if (!name.startsWith('heard\0')) continue
        const { bad } = unpack(bytes) as Heard
        if (bad !== '') this.world.violate(`${account} heard ${name.slice(6)}:${bad}`)
      }
  }

  #checkOrder(): void {
    const last = new Map<string, number>()
    for (const { account, path, k } of this.database.table('log')) {
      if (!String(path).includes('>')) continue
      const key = `${account} ${path}`
      if (Number(k) <= (last.get(key) ?? 0))
        this.world.violate(`${key}: ${k} after ${last.get(key)}`)
      last.set(key, Number(k))
    }
  }
}

const leavesRows = (kind: MessageKind | undefined): boolean =>
  kind !== undefined && kind !== 'plain' && kind !== 'throw' && kind !== 'poison' && kind !== 'kill'
