import type {
  Half,
  Multicast,
  SessionAck,
  SessionOpen,
  SessionResume,
  SessionStanza,
} from '@tactus/bus'
import type { DurableStore, Row, StateChange } from '@tactus/storage'
import { stateKey } from '@tactus/storage'
import type { LiveStore, Machine, Turn } from '../../src/machine.ts'
import { awayDomain } from './away.ts'
import type { SimReader } from './sim-storage.ts'

/** A session as the simulated owner keeps it. */
export interface SimSession {
  readonly seq: number
  readonly epoch: number
  readonly cm: string | undefined
  readonly out: number
  readonly attempt: string
}

/** What an account heard on one path, durable or not: of messages 1, 2, 3, … */
export interface Heard {
  readonly last: number
  readonly bad: string
}

function live<T>(name: string): LiveStore<T> {
  return { kind: 'live', name, decode: (stored) => stored as T, encode: (value) => value }
}

export const sessions: LiveStore<SimSession> = live<SimSession>('session')
export const heard: LiveStore<Heard> = live<Heard>('heard')
const sentNumber = live<number>('sent')

/** One row a key, value in a column. */
function column(name: string): DurableStore<number> {
  return {
    kind: 'durable',
    name,
    load: (reader, keys) =>
      (reader as unknown as SimReader).select((database) => {
        const wanted = new Set(keys.map(({ entity, key }) => stateKey(entity, key)))
        const rows = database
          .table(name)
          .map((row): [string, number] => [
            stateKey(String(row.entity), String(row.key)),
            Number(row.value),
          ])
        return new Map(rows.filter(([key]) => wanted.has(key)))
      }),
    save(changes: readonly StateChange<number>[], rows) {
      for (const { entity, key, after } of changes)
        rows.upsert(name, ['entity', 'key'], { entity, key, value: after ?? 0 })
    },
  }
}

/** Last durable input of each session, for an exact `h` after a loss. */
const progress = column('progress')
/** Last durable message of each path. */
const inbox = column('inbox')

/** Append-only rows; reading counts them. */
function appendOnly(name: string): DurableStore<number> {
  return {
    kind: 'durable',
    name,
    load: (reader, keys) =>
      (reader as unknown as SimReader).select((database) => {
        const rows = database.table(name)
        return new Map(
          keys.map(({ entity, key }) => [
            stateKey(entity, key),
            rows.filter((row) => row.account === entity).length,
          ]),
        )
      }),
    save: () => {},
  }
}

const sent = appendOnly('sent')
const log = appendOnly('log')

/** What a message is meant to try; it is the stanza's type. */
export type MessageKind =
  | 'durable'
  | 'plain'
  | 'multi'
  | 'away'
  | 'timer'
  | 'job'
  | 'read'
  | 'throw'
  | 'poison'
  | 'kill'

const isDurable = (kind: string | undefined): boolean =>
  kind !== 'plain' && kind !== 'throw' && kind !== 'kill'

/** Accounts that forward numbered messages: small, and every kind of effect is in it. */
export class SimMachine implements Machine {
  readonly stores = [
    sessions,
    heard,
    sentNumber,
    progress,
    inbox,
    sent,
    log,
  ] as unknown as Machine['stores']
  readonly #accounts: readonly string[]
  readonly #exact: boolean
  readonly #lossy: boolean
  readonly #kill: () => void

  /**
   * `exact` false: takes any higher number of a session (B1), to prove that exactly the next must be. `lossy`: the bus
   * may be lost, so that the outbox replays and the mailbox must know what it has.
   */
  constructor(
    accounts: readonly string[],
    options: { exact: boolean; lossy: boolean; kill?: () => void },
  ) {
    this.#accounts = accounts
    this.#exact = options.exact
    this.#lossy = options.lossy
    this.#kill = options.kill ?? (() => {})
  }

  run(turn: Turn): void {
    const { input } = turn
    switch (input.kind) {
      case 'session.open':
        return this.#open(turn, input)
      case 'session.stanza':
        return this.#stanza(turn, input)
      case 'session.resume':
        return this.#resume(turn, input)
      case 'session.ack':
        return this.#acknowledged(turn, input)
      case 'remote.again':
        return turn.remote(input.frame)
      case 'half':
      case 'multicast':
        return this.#receive(turn, input)
      default:
        return this.#fromOwner(turn)
    }
  }

  #fromOwner(turn: Turn): void {
    const { input } = turn
    if (input.kind === 'timer') turn.insert(log, 'log', row(turn, 'timer', input.data))
    else if (input.kind === 'job')
      turn.insert(log, 'log', row(turn, input.result.ok ? 'job' : 'failed job', input.id))
    else if (input.kind === 'instance.dead') this.#detachAll(turn, input.instance)
  }

  #acknowledged(turn: Turn, { session, epoch, n }: SessionAck): void {
    if (turn.get(sessions, session)?.epoch === epoch) turn.trim(session, n)
  }

  failed(turn: Turn): void {
    const { input } = turn
    if (input.kind !== 'session.stanza') return
    const session = turn.get(sessions, input.session)
    if (session) this.#take(turn, input, session)
  }

  async runJob(): Promise<unknown> {
    return 1
  }

  #open(turn: Turn, { session, cm }: SessionOpen): void {
    const known = turn.get(sessions, session)
    if (known) {
      turn.output(cm, { kind: 'session.opened', session, jid: session })
      turn.committed(known.cm ?? cm, session, known.seq, 0)
      return
    }
    turn.set(sessions, session, { seq: 1, epoch: 1, cm, out: 0, attempt: '' })
    turn.attach(cm, session)
    turn.output(cm, { kind: 'session.opened', session, jid: session })
    turn.committed(cm, session, 1, 0)
  }

  #stanza(turn: Turn, input: SessionStanza): void {
    const session = turn.get(sessions, input.session)
    if (!session || session.epoch !== input.epoch) return
    if (input.seq <= session.seq) {
      if (session.cm) turn.committed(session.cm, input.session, session.seq, 0)
      return
    }
    if (input.seq > session.seq + 1 && this.#exact) {
      const expected = session.seq + 1
      if (session.cm)
        turn.output(session.cm, {
          kind: 'gap',
          session: input.session,
          epoch: session.epoch,
          expected,
        })
      return
    }
    this.#take(turn, input, session)
    this.#act(turn, input)
  }

  #take(turn: Turn, { session: id, seq }: SessionStanza, session: SimSession): void {
    turn.set(sessions, id, { ...session, seq })
    if (session.cm) turn.committed(session.cm, id, seq, 0)
  }

  #act(turn: Turn, input: SessionStanza): void {
    const { stanza, entity } = input
    const id = stanza.id ?? ''
    const kind = stanza.type as MessageKind
    if (kind === 'kill') return this.#kill()
    if (isDurable(kind)) this.#keep(turn, input)
    const frame = { stanza, id, at: turn.now, durable: isDurable(kind), hops: 16 }
    if (kind === 'multi') {
      const recipients = this.#accounts.filter((account) => account !== entity)
      turn.multicast({ ...frame, recipients })
    } else if (kind === 'away') {
      const { hops: _, ...rest } = frame
      const route = { from: 'sim.example', to: awayDomain, recipients: [awayDomain] }
      turn.remote({ ...rest, ...route, stanza: stanza.with({ from: entity }) })
    } else turn.send({ ...frame, kind: 'half', entity: stanza.to ?? '' })
    if (kind === 'timer') turn.timer(id, turn.now + 400, id)
    if (kind === 'job') turn.job(id, 1)
    if (kind === 'throw') throw new Error('a handler of the simulation')
    if (kind === 'poison') turn.insert(log, 'log', row(turn, 'poison', 'poison'))
  }

  #keep(turn: Turn, { session, seq, stanza, entity }: SessionStanza): void {
    const id = stanza.id ?? ''
    const number = (turn.get(sentNumber) ?? 0) + 1
    // Live state begins anew after a loss of the bus, rows do not: read only where both stand.
    if (stanza.type === 'read' && number > 1 && turn.get(sent) !== number - 1)
      turn.insert(log, 'log', row(turn, 'bad read', id))
    turn.set(sentNumber, '', number)
    turn.insert(sent, 'sent', { account: entity, id, session, seq })
    turn.set(progress, session, seq)
  }

  #receive(turn: Turn, input: Half | Multicast): void {
    const [path = '', number] = input.id.split('#')
    const k = Number(number)
    const last = turn.get(heard, path)
    if (input.durable) {
      const before = turn.get(inbox, path) ?? 0
      if (k > before || !this.#lossy) {
        turn.set(inbox, path, Math.max(k, before))
        turn.insert(log, 'log', row(turn, path, String(k)))
      }
    }
    this.#hear(turn, path, k, last)
    for (const [id, session] of turn.all(sessions)) {
      const n = session.out + 1
      turn.set(sessions, id, { ...session, out: n })
      turn.enqueue(id, n, input.stanza, { kind: 'message', at: turn.now })
      if (!session.cm) continue
      const targets = [{ session: id, epoch: session.epoch, n, to: undefined }]
      turn.output(session.cm, { kind: 'deliver', stanza: input.stanza, targets })
    }
  }

  /** Only what is committed counts: a router that lost its place may well see nonsense. */
  #hear(turn: Turn, path: string, k: number, last: Heard | undefined): void {
    const expected = (last?.last ?? 0) + 1
    const bad = k === expected ? (last?.bad ?? '') : `${last?.bad ?? ''} ${k} for ${expected}`
    turn.set(heard, path, { last: Math.max(k, expected - 1), bad })
  }

  #resume(turn: Turn, input: SessionResume): void {
    const { session: id, attempt, cm } = input
    const session = turn.get(sessions, id)
    if (!session) {
      const outcome = { resumed: false, condition: 'item-not-found', h: undefined } as const
      return turn.output(cm, { kind: 'session.resumed', session: id, attempt, outcome })
    }
    const epoch = session.attempt === attempt ? session.epoch : session.epoch + 1
    if (session.cm && session.cm !== cm) {
      turn.detach(session.cm, id)
      const ended = { session: id, epoch: session.epoch, condition: 'conflict', text: undefined }
      turn.output(session.cm, { kind: 'session.end', ...ended })
    }
    turn.attach(cm, id)
    turn.set(sessions, id, { ...session, epoch, cm, attempt })
    turn.trim(id, input.h)
    const { seq, out } = session
    turn.output(cm, {
      kind: 'session.resumed',
      session: id,
      attempt,
      outcome: { resumed: true, jid: id, epoch, h: 0, seq, from: input.h, to: out, base: 0 },
    })
  }

  #detachAll(turn: Turn, instance: string): void {
    for (const [id, session] of turn.all(sessions)) {
      if (session.cm !== instance) continue
      turn.set(sessions, id, { ...session, cm: undefined })
      turn.detach(instance, id)
    }
  }
}

function row(turn: Turn, path: string, k: string): Row {
  return { account: turn.entity, path, k }
}
