import type { Bus, Entry, InputFrame, OutputFrame } from '@tactus/bus'
import { IncarnationChanged } from '@tactus/bus'
import { sleep } from '@tactus/env'
import { Stanza } from '@tactus/xml'
import { partitionOf, partitionStream } from '../../src/partition.ts'
import type { MessageKind } from './machine.ts'
import type { SimProc, World } from './world.ts'

/** A message that a client wants sent. */
export interface SimMessage {
  readonly to: string
  readonly id: string
  readonly kind: MessageKind
  acked: boolean
}

/** The person's device: outlives connection managers, sends each message until it is acknowledged. */
export class SimClient {
  readonly account: string
  readonly messages: SimMessage[] = []
  readonly world: World
  /** Messages of the present session, in order; input number is index + 2, because opening is number 1. */
  sent: SimMessage[] = []
  session: string
  sessions = 1
  last = 0
  opened = false
  readonly heard: Map<string, number> = new Map()
  received = 0
  readonly lossy: boolean
  /** True once an input was put aside as a dead letter. */
  excused: () => boolean = () => false

  constructor(world: World, account: string, lossy: boolean) {
    this.world = world
    this.account = account
    this.lossy = lossy
    this.session = `${account}/1`
  }

  /** Inputs up to `seq` are committed. */
  acknowledge(seq: number): void {
    for (let i = Math.min(seq - 2, this.sent.length - 1); i >= 0; i -= 1) {
      const message = this.sent[i]
      if (!message || message.acked) break
      message.acked = true
    }
  }

  /** The bus was lost: a new session, and `h` from the store says what of the old one arrived. */
  restart(h: number): void {
    this.acknowledge(h)
    this.sessions += 1
    this.session = `${this.account}/${this.sessions}`
    this.sent = this.messages.filter(({ acked }) => !acked)
    this.last = 0
    this.opened = false
    this.heard.clear()
  }

  receive(n: number, stanza: Stanza): void {
    if (n <= this.last) return
    if (n !== this.last + 1) this.world.violate(`${this.session} got ${n} after ${this.last}`)
    this.last = n
    this.received += 1
    const [path = '', k] = (stanza.id ?? '').split('#')
    const before = this.heard.get(path) ?? 0
    if (!this.lossy && Number(k) !== before + 1 && !this.excused())
      this.world.violate(`${this.account} heard ${stanza.id} after ${before}`)
    if (Number(k) <= before) this.world.violate(`${this.session} heard ${stanza.id} again`)
    this.heard.set(path, Number(k))
  }

  frame(seq: number, epoch: number, cm: string): InputFrame {
    const source = { entity: this.account, session: this.session, epoch, seq }
    if (seq === 1) {
      const rest = { resource: undefined, credentials: 1, anonymous: false, info: {} }
      return { ...source, kind: 'session.open', cm, ...rest }
    }
    const message = this.sent[seq - 2]
    if (!message) throw new Error('no such message')
    const stanza = Stanza.parse(
      `<message xmlns='jabber:client' to='${message.to}' id='${message.id}' type='${message.kind}'/>`,
    )
    return { ...source, kind: 'session.stanza', stanza }
  }
}

interface Link {
  readonly client: SimClient
  epoch: number
  /** Published up to here, committed up to there. */
  published: number
  committed: number
  resuming: string | undefined
  moved: number
  /** Deliveries that wait for a range of the queue. */
  fetching: boolean
}

const windowSize = 6

/** What a connection manager needs of its surroundings. */
export interface CmOptions {
  readonly proc: SimProc
  readonly partitions: number
  readonly openBus: (proc: SimProc) => Promise<Bus>
  /** Tells of committed numbers, to compare them with the rows. */
  readonly onCommitted: (session: string, seq: number) => void
  /** The bus was lost; answers the last durable input of a session. */
  readonly durable: (session: string) => number
  /** It may have been taken for dead: an identity is one boot, so it must begin again (design §3.8). */
  readonly onDoubt: () => void
}

/** Holds clients' sessions: numbers, retains and publishes again; reads its delivery stream. */
export class SimCm {
  readonly id: string
  readonly links: Map<string, Link> = new Map()
  readonly #options: CmOptions
  #bus: Bus | undefined
  #position = '0'
  #beaten = 0

  constructor(options: CmOptions) {
    this.#options = options
    this.id = options.proc.name
  }

  start(): void {
    void this.#run()
  }

  connect(client: SimClient): void {
    const { world } = this.#options.proc
    // Nobody can resume what was never bound.
    if (!client.opened) client.restart(0)
    const resuming = client.opened ? `${this.id}:${world.between(0, 1e9)}` : undefined
    this.links.set(client.session, {
      client,
      epoch: 1,
      published: 0,
      committed: 0,
      resuming,
      moved: world.now,
      fetching: false,
    })
  }

  async #run(): Promise<void> {
    const { clock } = this.#options.proc.env
    for (;;) {
      try {
        this.#bus ??= await this.#options.openBus(this.#options.proc)
        await Promise.all([this.#beat(this.#bus), this.#read(this.#bus), this.#pump(this.#bus)])
      } catch (error) {
        if (error instanceof IncarnationChanged) this.#lost()
        await sleep(clock, 100)
      }
    }
  }

  #lost(): void {
    this.#bus = undefined
    this.#position = '0'
    for (const link of [...this.links.values()]) this.#renew(link)
  }

  /** The session is gone: the client binds again, and `h` of the old one is exact. */
  #renew({ client }: Link): void {
    this.links.delete(client.session)
    client.restart(this.#options.durable(client.session))
    this.connect(client)
  }

  async #beat(bus: Bus): Promise<never> {
    const { env, world } = this.#options.proc
    this.#beaten = world.now
    for (;;) {
      const me = { id: this.id, role: 'connection-manager', protocol: 1, info: {} } as const
      const begun = world.now
      const heard = await bus.beat(me, 1500).then(() => true, rethrowLoss)
      if (heard) this.#beaten = begun
      this.#still(bus)
      await sleep(env.clock, 300)
    }
  }

  async #read(bus: Bus): Promise<never> {
    const stream = `d:${this.id}`
    for (;;) {
      const positions = new Map([[stream, this.#position]])
      const entries = await bus.read(positions, { count: 50, wait: 1000 }).catch(rethrowLoss)
      this.#still(bus)
      for (const entry of (entries as Entry[] | undefined) ?? []) {
        this.#position = entry.position
        for (const frame of entry.frames) this.#take(bus, frame as OutputFrame)
      }
    }
  }

  #take(bus: Bus, frame: OutputFrame): void {
    switch (frame.kind) {
      case 'committed':
        for (const [session, seq] of frame.sessions) this.#committed(session, seq)
        return
      case 'deliver':
        for (const { session, epoch, n } of frame.targets)
          this.#deliver(bus, this.#attached(session, epoch), n, frame.stanza)
        return
      case 'session.opened': {
        const link = this.links.get(frame.session)
        if (link) link.client.opened = true
        return
      }
      case 'gap': {
        const link = this.links.get(frame.session)
        if (link?.epoch === frame.epoch)
          link.published = Math.min(link.published, frame.expected - 1)
        return
      }
      case 'session.resumed':
        return this.#resumed(bus, frame)
      case 'session.end': {
        // Resumed elsewhere, maybe by a request that was long given up: the client comes back.
        const link = this.#attached(frame.session, frame.epoch)
        if (link) this.connect(link.client)
      }
    }
  }

  /** The session's link, unless it is not, or no longer, the attachment that is spoken of. */
  #attached(session: string, epoch: number): Link | undefined {
    const link = this.links.get(session)
    return link && !link.resuming && link.epoch === epoch ? link : undefined
  }

  #committed(session: string, seq: number): void {
    const link = this.links.get(session)
    if (!link) return
    this.#options.onCommitted(session, seq)
    if (seq <= link.committed) return
    link.committed = seq
    link.published = Math.max(link.published, seq)
    link.moved = this.#options.proc.world.now
    link.client.acknowledge(seq)
  }

  #resumed(bus: Bus, frame: Extract<OutputFrame, { kind: 'session.resumed' }>): void {
    const link = this.links.get(frame.session)
    if (!link || link.resuming !== frame.attempt) return
    if (!frame.outcome.resumed) return this.#renew(link)
    const { epoch, seq, to } = frame.outcome
    link.resuming = undefined
    link.epoch = epoch
    this.#options.onCommitted(frame.session, seq)
    link.client.acknowledge(seq)
    link.committed = seq
    link.published = seq
    if (to > link.client.last) void this.#fetch(bus, link, to)
  }

  #deliver(bus: Bus, link: Link | undefined, n: number, stanza: Stanza): void {
    if (!link || link.fetching) return
    if (n > link.client.last + 1) void this.#fetch(bus, link, n)
    else link.client.receive(n, stanza)
  }

  async #fetch(bus: Bus, link: Link, to: number): Promise<void> {
    link.fetching = true
    try {
      for (const { n, payload } of await bus.queue(link.client.session, link.client.last, to))
        if (this.links.get(link.client.session) === link && 'bytes' in payload)
          link.client.receive(n, Stanza.parse(payload.bytes))
    } catch {
      // The next delivery finds the same gap.
    }
    link.fetching = false
  }

  async #pump(bus: Bus): Promise<never> {
    const { env, world } = this.#options.proc
    for (;;) {
      if (world.now - this.#beaten > 1200) this.#options.onDoubt()
      for (const link of [...this.links.values()]) this.#publish(bus, link)
      await sleep(env.clock, world.between(5, 30))
      this.#still(bus)
    }
  }

  /** Loops over a bus that was lost end with it. */
  #still(bus: Bus): void {
    if (this.#bus !== bus) throw new IncarnationChanged('reopened')
  }

  #publish(bus: Bus, link: Link): void {
    const { world } = this.#options.proc
    const stuck = world.now - link.moved > 800
    if (stuck) link.moved = world.now
    if (!link.resuming) this.#publishInputs(bus, link, stuck)
    else if (stuck || link.published === 0) this.#send(bus, link, [this.#resume(link)], 1)
  }

  #publishInputs(bus: Bus, link: Link, stuck: boolean): void {
    const { client } = link
    const frames: InputFrame[] = []
    if (stuck) {
      link.published = link.committed
      // What waits in the queue and was not delivered is asked for as well.
      void this.#fetch(bus, link, Number.MAX_SAFE_INTEGER)
    }
    const end = client.opened ? Math.min(client.sent.length + 1, link.committed + windowSize) : 1
    for (let seq = link.published + 1; seq <= end; seq += 1)
      frames.push(client.frame(seq, link.epoch, this.id))
    if (stuck) frames.push(this.#ack(link))
    // One entry or several: both happen.
    if (this.#options.proc.world.chance() < 0.5) this.#send(bus, link, frames, end)
    else for (const frame of frames) this.#send(bus, link, [frame], end)
  }

  #ack({ client, epoch }: Link): InputFrame {
    const { account: entity, session, last: n } = client
    return { kind: 'session.ack', entity, session, epoch, n }
  }

  #resume({ client, resuming = '' }: Link): InputFrame {
    const { account: entity, session, last: h } = client
    return { kind: 'session.resume', entity, session, attempt: resuming, cm: this.id, h, info: {} }
  }

  #send(bus: Bus, link: Link, frames: readonly InputFrame[], end: number): void {
    if (frames.length === 0) return
    const { account } = link.client
    link.published = Math.max(link.published, end)
    const stream = partitionStream(partitionOf(account, this.#options.partitions))
    bus.publish(stream, frames).catch((error) => {
      if (error instanceof IncarnationChanged) this.#bus = undefined
      link.published = Math.min(link.published, link.committed)
    })
  }
}

function rethrowLoss(error: unknown): undefined {
  if (error instanceof IncarnationChanged) throw error
  return undefined
}
