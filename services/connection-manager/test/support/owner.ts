import {
  type Bus,
  type Command,
  type HostSummary,
  type InputFrame,
  protocol as latest,
  type OutputFrame,
  type StoredCredentials,
} from '@tactus/bus'
import { deliveryStream, partitionStream } from '@tactus/cluster'
import { realEnv } from '@tactus/env'
import { makeCredentials } from '@tactus/sasl'
import { Stanza } from '@tactus/xml'

type SessionInput = Extract<InputFrame, { seq: number }>

interface OwnedSession {
  cm: string
  readonly jid: string
  epoch: number
  seq: number
  out: number
  /** Stanzas handled since stream management was enabled; undefined before. */
  h: number | undefined
  base: number
}

/** Partitions of a cluster in these tests. */
export const partitions = 4

/**
 * The other side of the frames, as small as can be: it takes exactly last + 1, answers, and remembers
 * what it took. Stanzas with a `to` go to the sessions of that bare or full JID, others back.
 */
export class Owner implements AsyncDisposable {
  readonly id = 'router-test'
  readonly hosts: HostSummary[] = []
  /** What read commands answer. */
  readonly reads = new Map<string, (input: unknown) => unknown>()
  readonly sessions = new Map<string, OwnedSession>()
  /** Everything taken, in order. */
  readonly taken: InputFrame[] = []
  readonly commands: Command[] = []
  /** Committed at once, unless a test wants to see what happens without. */
  commits = true
  /** Inputs that are dropped as if they had never come. */
  drop: (frame: InputFrame) => boolean = () => false
  /** The resource that is bound whatever is asked for; a condition refuses. */
  refuseOpen: string | undefined
  readonly #bus: Bus
  readonly #accounts = new Map<string, StoredCredentials>()
  readonly #stop = new AbortController()
  readonly #loop: Promise<void>
  readonly #serving: AsyncDisposable
  #paused: Promise<void> | undefined
  #goOn: () => void = () => {}
  #step = 0
  readonly #waiting = new Set<() => void>()

  constructor(bus: Bus) {
    this.#bus = bus
    this.#serving = bus.serve(this.id, async ({ method, input }) => this.#answer(method, input))
    this.#loop = this.#run()
  }

  async start(protocol: number = latest): Promise<void> {
    await this.#bus.beat({ id: this.id, role: 'router', protocol, info: {} }, 3_600_000)
  }

  async addAccount(jid: string, password: string): Promise<void> {
    const random = (length: number): Uint8Array => realEnv().random(length)
    const { keys } = await makeCredentials(password, { random, iterations: 4096 })
    this.#accounts.set(jid, {
      version: 1,
      disabled: false,
      keys: keys as StoredCredentials['keys'],
    })
  }

  /** Sends a stanza to a session, with the next of its numbers. */
  async deliver(session: string, stanza: Stanza | string): Promise<number> {
    const owned = this.sessions.get(session)
    if (!owned) throw new Error(`no session ${session}`)
    owned.out += 1
    const text = String(stanza)
    await this.enqueue(session, owned.out, text)
    const parsed = typeof stanza === 'string' ? Stanza.parse(stanza, 'jabber:client') : stanza
    const { epoch, out: n } = owned
    const target = { session, epoch, n, to: undefined }
    await this.output(owned.cm, { kind: 'deliver', stanza: parsed, targets: [target] })
    return owned.out
  }

  async output(instance: string, ...frames: OutputFrame[]): Promise<void> {
    await this.#bus.publish(deliveryStream(instance), frames)
  }

  /** Sends a stanza under a number of the test's choice. */
  async deliverAs(session: string, n: number, text: string): Promise<void> {
    const stanza = Stanza.parse(text, 'jabber:client')
    const cm = this.sessions.get(session)?.cm ?? ''
    const target = { session, epoch: 1, n, to: undefined }
    await this.output(cm, { kind: 'deliver', stanza, targets: [target] })
  }

  /** Puts a stanza into the queue of a session without sending it. */
  async enqueue(session: string, n: number, text: string): Promise<void> {
    const { bytes } = Stanza.parse(text, 'jabber:client')
    this.#step += 1
    const entry = { n, meta: new Uint8Array(), payload: { bytes } }
    const operations = [{ op: 'enqueue', queue: session, entries: [entry] }] as const
    await this.#bus.commit({ router: this.id, step: this.#step, operations })
  }

  /** Tells once more what is committed of a session. */
  async commit(session: string): Promise<void> {
    const owned = this.sessions.get(session)
    if (!owned) return
    await this.output(owned.cm, {
      kind: 'committed',
      sessions: [[session, owned.seq, owned.h ?? 0]],
    })
  }

  /** Takes nothing until `resume`. */
  pause(): void {
    this.#paused = new Promise((resolve) => {
      this.#goOn = resolve
    })
  }

  resume(): void {
    this.#goOn()
    this.#paused = undefined
  }

  /** Resolves when `condition` holds; looked at whenever something was taken. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.add(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#serving[Symbol.asyncDispose]()
    await this.#loop
  }

  async #run(): Promise<void> {
    const positions = new Map<string, string>()
    for (let p = 0; p < partitions; p += 1) positions.set(partitionStream(p), '0')
    while (!this.#stop.signal.aborted) {
      const options = { count: 100, wait: 60_000, signal: this.#stop.signal }
      for (const entry of await this.#bus.read(positions, options)) {
        await this.#paused
        positions.set(entry.stream, entry.position)
        await this.#bus.remove(entry.stream, entry.position)
        for (const frame of entry.frames) await this.#take(frame as InputFrame)
      }
      for (const resolve of this.#waiting) resolve()
      this.#waiting.clear()
    }
  }

  async #take(frame: InputFrame): Promise<void> {
    if (this.drop(frame)) return
    if (frame.kind === 'session.open') return await this.#open(frame)
    if (frame.kind === 'session.resume') return await this.#resume(frame)
    if (frame.kind === 'command') return await this.#command(frame)
    if ('seq' in frame) return await this.#input(frame)
    this.taken.push(frame)
  }

  async #open(frame: Extract<InputFrame, { kind: 'session.open' }>): Promise<void> {
    const { session, cm, entity, resource = 'made' } = frame
    this.taken.push(frame)
    if (this.refuseOpen !== undefined) {
      const condition = this.refuseOpen
      return await this.output(cm, { kind: 'session.refused', session, condition, text: undefined })
    }
    const jid = `${entity}/${resource}`
    this.sessions.set(session, { cm, jid, epoch: 1, seq: 1, out: 0, h: undefined, base: 0 })
    await this.output(
      cm,
      { kind: 'session.opened', session, jid },
      { kind: 'committed', sessions: [[session, 1, 0]] },
    )
  }

  async #command(frame: Command): Promise<void> {
    this.commands.push(frame)
    const exists = this.#accounts.has(frame.entity)
    const result = exists
      ? ({ ok: false, error: 'conflict', message: 'taken' } as const)
      : ({ ok: true, output: {} } as const)
    const { keys } = frame.input as { keys: Record<string, Record<string, string | number>> }
    if (!exists)
      this.#accounts.set(frame.entity, { version: 1, disabled: false, keys: decoded(keys) })
    await this.output(frame.replyTo, { kind: 'command.reply', source: frame.source, result })
  }

  async #input(frame: SessionInput): Promise<void> {
    const owned = this.sessions.get(frame.session)
    if (!owned || frame.epoch !== owned.epoch) return
    const { session, epoch } = frame
    if (frame.seq > owned.seq + 1)
      return await this.output(owned.cm, { kind: 'gap', session, epoch, expected: owned.seq + 1 })
    if (frame.seq === owned.seq + 1) await this.#next(frame, owned)
    if (this.commits)
      await this.output(owned.cm, {
        kind: 'committed',
        sessions: [[session, owned.seq, owned.h ?? 0]],
      })
  }

  async #next(frame: SessionInput, owned: OwnedSession): Promise<void> {
    owned.seq += 1
    this.taken.push(frame)
    if (frame.kind === 'session.enable') await this.#enable(frame.session, owned)
    if (frame.kind !== 'session.stanza') return
    if (owned.h !== undefined) owned.h += 1
    await this.#route(owned, frame.stanza)
  }

  async #enable(session: string, owned: OwnedSession): Promise<void> {
    owned.h = 0
    owned.base = owned.out
    const { epoch, out: n } = owned
    await this.output(owned.cm, {
      kind: 'session.enabled',
      session,
      epoch,
      n,
      id: session,
      max: 600,
    })
  }

  async #resume(frame: Extract<InputFrame, { kind: 'session.resume' }>): Promise<void> {
    this.taken.push(frame)
    const { session, attempt, cm, h } = frame
    const owned = this.sessions.get(session)
    const answer = { kind: 'session.resumed', session, attempt } as const
    if (owned?.h === undefined || !owned.jid.startsWith(`${frame.entity}/`)) {
      const outcome = { resumed: false, condition: 'item-not-found', h: undefined } as const
      return await this.output(cm, { ...answer, outcome })
    }
    if (h > owned.out - owned.base) {
      const sent = owned.out - owned.base
      const outcome = { resumed: false, condition: 'handled-count-too-high', h: sent } as const
      return await this.output(cm, { ...answer, outcome })
    }
    const end = { kind: 'session.end', session, epoch: owned.epoch } as const
    await this.output(owned.cm, { ...end, condition: 'conflict', text: undefined })
    owned.epoch += 1
    owned.cm = cm
    const { jid, epoch, seq, base, out: to } = owned
    const outcome = {
      resumed: true,
      jid,
      epoch,
      h: owned.h,
      seq,
      from: base + h,
      to,
      base,
    } as const
    await this.output(cm, { ...answer, outcome })
  }

  async #route(from: OwnedSession, stanza: Stanza): Promise<void> {
    const { to = from.jid } = stanza
    for (const [id, { jid }] of this.sessions)
      if (jid === to || jid.startsWith(`${to}/`))
        await this.deliver(id, stanza.with({ from: from.jid }))
  }

  #answer(method: string, input: unknown): unknown {
    if (method === 'hosts.list') return this.hosts
    if (method === 'command.read') {
      const { name, input: given } = input as { name: string; input: unknown }
      const run = this.reads.get(name)
      return run ? { ok: true, output: run(given) } : { ok: false, error: 'unknown', message: '' }
    }
    return this.#accounts.get((input as { account: string }).account)
  }
}

function decoded(keys: Record<string, Record<string, string | number>>): StoredCredentials['keys'] {
  const bytes = (text: unknown): Buffer => Buffer.from(String(text), 'base64')
  return Object.fromEntries(
    Object.entries(keys).map(([hash, { salt, iterations, storedKey, serverKey }]) => [
      hash,
      {
        salt: bytes(salt),
        iterations: Number(iterations),
        storedKey: bytes(storedKey),
        serverKey: bytes(serverKey),
      },
    ]),
  )
}
