import type {
  Committed,
  Deliver,
  Gap,
  SessionEnabled,
  SessionEnd,
  SessionOpen,
  SessionOpened,
  SessionPause,
  SessionRefused,
  SessionResume,
  SessionResumed,
  StreamName,
} from '@tactus/bus'
import { partitionOf, partitionStream } from '@tactus/cluster'
import type { Clock } from '@tactus/env'
import { bare, type FullJid, parseJid } from '@tactus/jid'
import { type StreamCondition, StreamError } from '@tactus/stanza'
import type { ConnectionMetrics } from '../metrics.ts'
import type { Settings } from '../settings.ts'
import type { Ending } from '../stream/handler.ts'
import type { Publisher } from './publisher.ts'
import type { Session } from './session.ts'
import { type NumberedFrame, SessionLink } from './session-link.ts'

/** The owner's answer to a `session.open`. */
export type OpenAnswer =
  | { readonly kind: 'opened'; readonly link: SessionLink; readonly jid: FullJid }
  | { readonly kind: 'refused'; readonly condition: string; readonly text: string | undefined }

/** The owner's answer to a `session.resume`; with a link where it is a session of this instance now. */
export interface ResumeAnswer {
  readonly outcome: SessionResumed['outcome']
  readonly link: SessionLink | undefined
}

interface Resuming {
  readonly stream: StreamName
  readonly frame: SessionResume
  readonly answer: (answer: ResumeAnswer) => Session | undefined
  askedAt: number
}

interface Entry {
  readonly link: SessionLink
  session: Session | undefined
  /** Set until the owner has answered. */
  answer: ((answer: OpenAnswer) => Session | undefined) | undefined
  /** The socket is gone; only the commits of what it sent are still waited for. */
  closed: boolean
  /** When repeating what the owner does not commit is given up, once closed. */
  giveUpAt: number
}

/** How long the end of a session whose socket is gone is told to an owner that does not answer. */
const giveUpAfter = 300_000
/** The first protocol with `session.ask`. */
const askProtocol = 3

/**
 * The sessions of this instance: from a frame's session id to its socket and back.
 */
export class SessionRegistry {
  readonly #publisher: Publisher
  readonly #clock: Clock
  readonly #settings: Settings
  readonly #metrics: ConnectionMetrics
  readonly #instance: string
  readonly #protocol: () => number
  readonly #entries = new Map<string, Entry>()
  /** Attempts to resume that have no answer yet. */
  readonly #resuming = new Map<string, Resuming>()
  /** Those that wrote since the last report. */
  readonly #unreported = new Set<Session>()
  /** Those whose socket is not read because their partition takes nothing. */
  readonly #held = new Set<Session>()

  constructor(options: {
    readonly publisher: Publisher
    readonly clock: Clock
    readonly settings: Settings
    readonly metrics: ConnectionMetrics
    /** Id of this instance. */
    readonly instance: string
    /** What every router understands. */
    readonly protocol: () => number
  }) {
    this.#publisher = options.publisher
    this.#clock = options.clock
    this.#settings = options.settings
    this.#metrics = options.metrics
    this.#instance = options.instance
    this.#protocol = options.protocol
  }

  /** Sessions whose commits are waited for or whose socket is open. */
  get size(): number {
    return this.#entries.size
  }

  /** Inputs under way, of all sessions. */
  get retained(): number {
    let sum = 0
    for (const { link } of this.#entries.values()) sum += link.seq - link.committed
    return sum
  }

  get sessions(): Session[] {
    return [...this.#entries.values()].flatMap(({ session }) => session ?? [])
  }

  /** Asks the owner for a session. `answer` makes the session of what it says, before anything else arrives. */
  open(
    stream: StreamName,
    frame: SessionOpen,
    answer: (answer: OpenAnswer) => Session | undefined,
  ): void {
    const link = new SessionLink(stream, frame.entity, frame.session)
    this.#entries.set(frame.session, { ...newEntry(link), answer })
    this.#add(link, frame)
  }

  /** Asks the owner to take up a session; asked again, as the same attempt, until it answers. */
  resume(
    stream: StreamName,
    frame: SessionResume,
    answer: (answer: ResumeAnswer) => Session | undefined,
  ): void {
    this.#resuming.set(frame.attempt, { stream, frame, answer, askedAt: this.#clock.monotonic() })
    this.#publisher.post(stream, frame)
  }

  /** The owner has decided about an attempt. */
  resumed({ session, attempt, outcome }: SessionResumed): void {
    const resuming = this.#resuming.get(attempt)
    if (!resuming) return
    this.#resuming.delete(attempt)
    if (!outcome.resumed) {
      resuming.answer({ outcome, link: undefined })
      return
    }
    const { epoch, seq } = outcome
    const { entity } = resuming.frame
    const link = new SessionLink(resuming.stream, entity, session, { epoch, seq })
    const entry = newEntry(link)
    this.#entries.set(session, entry)
    entry.session = resuming.answer({ outcome, link })
    // The client did not wait: the session goes back to hibernation.
    if (!entry.session) this.#close(entry, 'dropped')
  }

  enabled(frame: SessionEnabled): void {
    const entry = this.#entries.get(frame.session)
    if (entry?.link.epoch === frame.epoch) entry.session?.enabled(frame)
  }

  /** The client is gone before its session was open: the owner is told once it exists. */
  abandon(id: string, ending: Ending): void {
    const entry = this.#entries.get(id)
    if (!entry) return
    entry.answer = undefined
    this.#close(entry, ending)
  }

  input(session: Session, frame: NumberedFrame): void {
    this.#add(session.link, frame)
  }

  /** Whether the session may give more inputs. */
  mayRead(session: Session): boolean {
    const isBlocked = this.#publisher.isBlocked(session.link.stream)
    if (isBlocked) this.#held.add(session)
    return !isBlocked && !session.link.isFull(this.#settings.retention)
  }

  /** Whether a session that was not read may be read again. */
  hasRoom(session: Session): boolean {
    return (
      !this.#publisher.isBlocked(session.link.stream) &&
      session.link.hasRoom(this.#settings.retention)
    )
  }

  /** The link has something to tell that is no input. */
  wake(session: Session): void {
    this.#publisher.wake(session.link)
  }

  /** Out-number `n` was given to the session's connection. */
  wrote(session: Session, n: number): void {
    this.#unreported.add(session)
    if (n - session.link.acknowledged >= this.#settings.reportAt) this.report(session)
  }

  /** Tells the owner how far the session's stanzas are written. */
  report(session: Session): void {
    const written = session.written()
    if (session.isManaged) {
      session.requestAck()
      return
    }
    if (written <= session.link.acknowledged) return
    session.link.acknowledge(written)
    this.#publisher.wake(session.link)
  }

  /** {@link report} for all that wrote; called a few times a second, for all at once. */
  reportAll(): void {
    for (const session of this.#unreported) {
      this.report(session)
      if (session.isWritten) this.#unreported.delete(session)
    }
  }

  /** The socket is gone. */
  close(session: Session, ending: Ending): void {
    this.#unreported.delete(session)
    this.#held.delete(session)
    const entry = this.#entries.get(session.id)
    if (entry?.session !== session) return
    entry.session = undefined
    this.#close(entry, ending)
  }

  /** The owner knows the session no more: nothing of it is waited for. */
  forget(session: Session): void {
    this.#unreported.delete(session)
    this.#held.delete(session)
    if (this.#entries.get(session.id)?.session === session) this.#entries.delete(session.id)
  }

  opened(frame: SessionOpened): void {
    const entry = this.#entries.get(frame.session)
    if (!entry) return this.#giveBack(frame)
    const { answer } = entry
    if (!answer) return
    entry.answer = undefined
    entry.session = answer({ kind: 'opened', link: entry.link, jid: frame.jid as FullJid })
  }

  refused({ session, condition, text }: SessionRefused): void {
    const entry = this.#entries.get(session)
    if (!entry) return
    this.#entries.delete(session)
    entry.answer?.({ kind: 'refused', condition, text })
  }

  deliver({ stanza, targets }: Deliver): void {
    for (const target of targets) {
      const entry = this.#entries.get(target.session)
      if (entry?.link.epoch === target.epoch) entry.session?.deliver(target, stanza)
    }
  }

  committed({ sessions }: Committed): void {
    const now = this.#clock.monotonic()
    for (const [id, seq, h] of sessions) {
      const entry = this.#entries.get(id)
      if (!entry) continue
      if (!entry.link.commit(seq)) continue
      entry.link.progressAt = now
      entry.session?.committed(h)
      if (entry.closed && !entry.link.isPending) this.#entries.delete(id)
    }
  }

  gap({ session, epoch, expected }: Gap): void {
    const link = this.#entries.get(session)?.link
    if (link?.epoch !== epoch) return
    link.rewind(expected - 1)
    this.#publisher.wake(link)
  }

  /** {@link end} where the session goes on elsewhere, and its client gets there what is still to come here. */
  superseded(frame: SessionEnd): void {
    const goesOn = frame.condition === 'conflict' || frame.condition === 'reset'
    if (goesOn && this.#entries.get(frame.session)?.session) this.end(frame)
  }

  end({ session, epoch, condition, text }: SessionEnd): void {
    const entry = this.#entries.get(session)
    if (entry?.link.epoch !== epoch) return
    this.#entries.delete(session)
    entry.session?.end(
      condition === undefined ? undefined : new StreamError(condition as StreamCondition, text),
    )
  }

  pause({ session, epoch, milliseconds }: SessionPause): void {
    const entry = this.#entries.get(session)
    if (entry?.link.epoch === epoch) entry.session?.pause(milliseconds)
  }

  /** A partition takes inputs again. */
  unblocked(stream: StreamName): void {
    for (const session of this.#held) {
      if (session.link.stream !== stream) continue
      this.#held.delete(session)
      session.progressed()
    }
  }

  /** Publishes again what has waited too long for its commit (design §3.4). */
  repeatStale(): void {
    const now = this.#clock.monotonic()
    for (const resuming of this.#resuming.values()) {
      if (now - resuming.askedAt < this.#settings.repeatAfter) continue
      // What was posted is not even accepted yet, and will be.
      if (this.#publisher.isBlocked(resuming.stream)) continue
      resuming.askedAt = now
      this.#publisher.post(resuming.stream, resuming.frame)
    }
    for (const [id, entry] of this.#entries) {
      const { link } = entry
      if (!link.isPending || now - link.progressAt < this.#settings.repeatAfter) continue
      if (entry.closed && now >= entry.giveUpAt) {
        this.#entries.delete(id)
        continue
      }
      link.progressAt = now
      link.rewind(link.committed)
      this.#metrics.repeats.inc()
      this.#publisher.wake(link)
      this.#ask(link)
    }
  }

  /** The owner may know the session no more, and then it says nothing of its inputs either. */
  #ask({ stream, entity, session, epoch, committed }: SessionLink): void {
    // One that is not open yet is still to be made by its first input.
    if (committed === 0 || this.#protocol() < askProtocol || this.#publisher.isBlocked(stream))
      return
    const cm = this.#instance
    this.#publisher.post(stream, { kind: 'session.ask', entity, session, epoch, cm })
  }

  #add(link: SessionLink, frame: NumberedFrame): void {
    if (!link.isPending) link.progressAt = this.#clock.monotonic()
    link.add(frame)
    this.#publisher.wake(link)
  }

  /**
   * The repeat of an `open` came after the end of its session and has made it anew: nobody is there for it, and it
   * would hold its resource for ever.
   */
  #giveBack({ session, jid }: SessionOpened): void {
    const entity = bare(parseJid(jid))
    const stream = partitionStream(partitionOf(entity, this.#settings.partitions))
    const entry = newEntry(new SessionLink(stream, entity, session, { epoch: 1, seq: 1 }))
    this.#entries.set(session, entry)
    this.#close(entry, 'dropped')
  }

  #close(entry: Entry, ending: Ending): void {
    const { link } = entry
    entry.closed = true
    entry.giveUpAt = this.#clock.monotonic() + giveUpAfter
    const { entity, session, epoch, seq } = link
    const reason = ending
    this.#add(link, { kind: 'session.close', entity, session, epoch, seq: seq + 1, reason })
  }
}

function newEntry(link: SessionLink): Entry {
  return {
    link,
    session: undefined,
    answer: undefined,
    closed: false,
    giveUpAt: Number.POSITIVE_INFINITY,
  }
}
