import type { WayBack, WayBackOffer } from '@tactus/bus'
import { hold } from '../stream/connection.ts'
import { BackOff } from './back-off.ts'
import { Handled } from './handled.ts'
import { ItemQueue, type Sent } from './item-queue.ts'
import type { OutgoingListener, OutgoingStream } from './outgoing-stream.ts'
import { type Outlet, StreamOutlet } from './outlet.ts'
import type { Problem } from './problem.ts'
import { RelayOutlet } from './relay-outlet.ts'
import {
  type Dialing,
  discard,
  type Heard,
  type Pair,
  type Returned,
  type RoutePorts,
  whileMine,
  within,
} from './route-ports.ts'
import { mostUnacked, overflow, unfit } from './route-rules.ts'
import { RouteSession } from './route-session.ts'
import type { Item, Shard } from './shard.ts'
import { Suspicion } from './suspicion.ts'

/** What waits for a remote domain, from one of ours, and what it goes by. */
export class Route implements Dialing {
  readonly local: string
  readonly remote: string
  stream: OutgoingStream | undefined
  /** Why there is no stream. */
  problem = ''
  readonly #ports: RoutePorts
  readonly #session: RouteSession
  /** What came by the stream (XEP-0288). */
  readonly handled: Handled
  /** A stream of the other server that may be written to. */
  #offer: WayBackOffer | undefined
  #offerUntil = 0
  /** The one that is written to. */
  #used: WayBackOffer | undefined
  /** Until when the other server may have something for us that it can send by no other stream. */
  #drawUntil = 0
  #triedResume = false
  #outlet: Outlet | undefined
  readonly #queue = new ItemQueue()
  /** Sent, and maybe not arrived yet. */
  #sent: Sent[] = []
  readonly #suspicion = new Suspicion()
  #n = 0
  /** What is under way to get an outlet; whatever else comes of it is not waited for any more. */
  #attempt: symbol | undefined
  #stalled = false
  readonly #backOff: BackOff
  #readyAt = 0
  #leaveBy: number | undefined

  constructor({ local, remote }: Pair, shard: Shard, ports: RoutePorts) {
    this.local = local
    this.remote = remote
    this.#ports = ports
    this.#backOff = new BackOff(ports.env)
    const name = `${local} ${remote}`
    this.#session = new RouteSession(shard, name)
    this.handled = new Handled(shard, name)
    this.#awaitReturn()
  }

  /** What it belongs to. */
  get shard(): Shard {
    return this.#session.shard
  }

  get queued(): number {
    return this.#queue.length + this.#sent.length
  }

  get queuedBytes(): number {
    return this.#queue.bytes
  }

  get state(): string {
    if (this.#outlet) return 'open'
    if (this.#attempt) return 'connecting'
    return this.#backOff.isWaiting ? 'waiting' : 'idle'
  }

  /** The last attempt led nowhere. */
  get hasFailed(): boolean {
    return this.#backOff.hasFailed
  }

  /** Id of the stream that may be resumed (XEP-0198 §5). */
  get resumes(): string | undefined {
    return this.#session.way === 'back' ? undefined : this.#session.id
  }

  /** It goes by a stream that the other server opened (XEP-0288). */
  get isRelayed(): boolean {
    return this.#outlet instanceof RelayOutlet
  }

  /** Nothing of it need be remembered. */
  isForgettable(now: number): boolean {
    const isIdle = this.queued === 0 && !this.#outlet && !this.#attempt
    return isIdle && now >= Math.max(this.#backOff.until, this.#drawUntil, this.#offerUntil)
  }

  /** The other server opened a stream that may be written to. */
  offer(offer: WayBackOffer): void {
    this.#offer = offer
    this.#offerUntil = this.#now + within.offered
    this.#backOff.welcome()
    const isKnown = offer.id !== undefined && offer.id === this.#session.id
    const isSame = isKnown && offer.tag !== this.#used?.tag
    // It came back elsewhere with the one that is used.
    if (isSame && this.isRelayed && this.#leaveBy === undefined) {
      this.#outlet?.drop()
      this.ended({ message: 'the other side went on elsewhere', final: undefined })
    }
    this.#go()
  }

  /** The other server has shown that it is there. One that it opened and that broke it may be about to resume. */
  awake(): void {
    if (this.#session.way === 'back') return
    this.#backOff.woken()
    this.#go()
  }

  /** An earlier holder had a stream that the other server writes by: it may have something for us. */
  draw(): void {
    this.#drawUntil = this.#now + this.#ports.limits.resumption
    this.#go()
  }

  /** @param isFull no more may wait, for all domains together */
  add(item: Item, isFull: boolean): void {
    this.#queue.push(item)
    // What an earlier holder sent comes first, and the other server may have said that it has it.
    if (this.#session.skipping) return this.#match()
    const why =
      this.#backOff.refusal ?? overflow(this.#queue, this.remote, this.#ports.limits, isFull)
    if (why) {
      this.#queue.pop()
      return this.#return(item, why)
    }
    this.#go()
  }

  /** Looks at what has arrived, what has waited for too long, and whether to try again. */
  tick(): void {
    this.#outlet?.look()
    this.settle()
    this.#expire()
    if (this.#outlet?.isMute()) {
      this.problem = 'it acknowledges nothing'
      this.#outlet.drop()
    }
    this.#go()
  }

  /**
   * What is queued goes to its next holder. Answers whether nothing is on its way any more; is it not, it is to be asked
   * again. The stream is closed, or left to be resumed where the other server does not say what it has.
   */
  leave(isLost: boolean): boolean {
    this.settle()
    this.#queue.clear()
    const outlet = this.#outlet
    this.#attempt = undefined
    if (!outlet) return true
    this.#leaveBy ??= this.#now + within.leave
    const isBoth = this.stream?.isBidi === true
    // What the other side sends from here on goes to the next holder.
    if (isBoth) this.stream?.connection.hold(hold.leaving)
    const isQuiet = this.#sent.length === 0 && this.handled.isSettled
    if (!isLost && !isQuiet && this.#now < this.#leaveBy) return false
    const isDone = isQuiet && !isLost && !(isBoth && this.#session.id !== undefined)
    this.#sent = []
    this.#outlet = undefined
    // Closed in good order it could not be resumed, should the commit not come through.
    if (isDone) this.#session.forget(() => outlet.close())
    else outlet.drop()
    return true
  }

  #ready(stream: OutgoingStream): void {
    this.#begun()
    this.stream = stream
    const { idle, acknowledgement: patience } = this.#ports.limits
    const { beginning } = stream.management
    if (beginning.kind === 'resumed' && !this.#session.resume(beginning.h)) {
      this.#session.forget()
      stream.connection.transport.destroy()
      return
    }
    if (beginning.kind === 'new') {
      const way = stream.isBidi ? 'both' : undefined
      this.#session.renew(beginning.lost, { id: beginning.id, way, noted: () => this.#go() })
    }
    this.#n = beginning.kind === 'new' ? 0 : this.#session.n
    this.#outlet = new StreamOutlet(stream, { from: this.#n, idle, patience })
    this.#match()
  }

  #begun(): void {
    this.#attempt = undefined
    this.#readyAt = this.#now
    this.#backOff.succeeded()
    this.#drawUntil = 0
    this.#triedResume = false
    this.problem = ''
  }

  /** The stream is over, or there was none. What the other server may not have is written again. */
  ended(problem: Problem): void {
    const { message, final, isIdle, isBlame } = problem
    const wasReady = this.#outlet !== undefined
    const mayDraw = wasReady && this.stream?.isBidi === true && isIdle !== true
    if (wasReady && this.#sent.length === 0) this.#backOff.forgive()
    this.settle()
    if (isBlame === true) this.#suspicion.raise(this.#sent)
    this.stream = undefined
    this.#outlet = undefined
    this.#attempt = undefined
    this.#stalled = false
    this.#triedResume = !wasReady
    this.problem = message
    // It may have been the way to it that broke, and not the stream.
    this.#offer ??= this.#used
    this.#used = undefined
    if (wasReady && this.#leaveBy === undefined) this.#broke(mayDraw)
    this.#queue.putBack(this.#sent.map(({ item }) => item))
    this.#sent = []
    if (final === undefined) return this.#tryLater(wasReady)
    this.#backOff.refused(problem, final)
    for (let item = this.#queue.take(); item; item = this.#queue.take())
      this.#return(item, { condition: final, text: message })
  }

  #broke(mayDraw: boolean): void {
    this.#session.broken(this.#sent.length > 0 || mayDraw)
    if (mayDraw && this.#session.id !== undefined)
      this.#drawUntil = this.#now + this.#ports.limits.resumption
  }

  #tryLater(wasReady: boolean): void {
    const isLong = wasReady && this.#backOff.isEarned(this.#readyAt)
    if (isLong && this.#session.way !== 'back') return this.#go()
    this.#backOff.failed()
    if (wasReady) this.#awaitReturn()
  }

  /** Only the other server can say what it has of a stream that it opened. */
  #awaitReturn(): void {
    if (this.#session.way === 'back') this.#backOff.wait(within.comeBack)
  }

  get #now(): number {
    return this.#backOff.now
  }

  readonly #heard: Heard = {
    ended: (problem) => this.ended(problem),
    stalled: (isStalled) => {
      this.#stalled = isStalled
      if (!isStalled) this.#go()
    },
    acknowledged: () => {
      this.settle()
      this.#go()
    },
  }

  /** Tells of what has arrived, or was taken by the system where the other server does not say. */
  settle(): void {
    if (!this.#outlet || this.#sent.length === 0) return
    const { delivered } = this.#outlet
    const done = this.#sent.findIndex(({ n }) => n > delivered)
    const arrived = this.#sent.splice(0, done < 0 ? this.#sent.length : done)
    this.#suspicion.passed(arrived.length)
    for (const { item, n } of arrived) this.#ports.written(item, this.#session.left(n))
  }

  #go(): void {
    if (this.#leaveBy !== undefined || this.#stalled) return
    if (this.#queue.length === 0 && this.#now >= this.#drawUntil) return
    if (this.#outlet) return this.#write(this.#outlet)
    if (this.#attempt || this.stream || !this.handled.isSettled) return
    // The stream that broke knows what arrived; another one only comes after it.
    if (this.#offer && (this.resumes === undefined || this.#triedResume))
      return void this.#attach(this.#offer)
    if (this.#backOff.isOver) this.#ports.dial(this, this.#listener())
  }

  /** For one attempt; what comes of an earlier one has nobody who waits for it. */
  #listener(): OutgoingListener {
    const attempt = Symbol('attempt')
    this.#attempt = attempt
    let stream: OutgoingStream | undefined
    const isMine = (): boolean =>
      stream === undefined ? this.#attempt === attempt : this.stream === stream
    return {
      ready: (made) => {
        if (!isMine()) return discard(made)
        stream = made
        this.#ready(made)
      },
      ...whileMine(isMine, this.#heard),
    }
  }

  async #attach(offer: WayBackOffer): Promise<void> {
    const attempt = Symbol('attempt')
    this.#attempt = attempt
    const found = await this.#ports.attach(offer)
    if (this.#attempt !== attempt) return
    this.#attempt = undefined
    if (found === 'busy') return
    if (found) return this.#attached(offer, found)
    if (this.#offer === offer) this.#offer = undefined
  }

  #attached(offer: WayBackOffer, way: WayBack): void {
    const { id, count } = way
    const isKnown = id !== undefined && this.#session.way === 'back' && this.#session.id === id
    if (isKnown && !this.#session.resume(count)) return this.#session.forget()
    this.#begun()
    if (!isKnown)
      this.#session.renew(undefined, { id, way: 'back', count, noted: () => this.#go() })
    this.#n = isKnown ? this.#session.n : count
    const heard = whileMine(() => this.#outlet === outlet, this.#heard)
    const outlet: Outlet = new RelayOutlet(way, this.#ports.relay(offer), heard)
    this.#outlet = outlet
    this.#used = offer
    // Once it is over there is another one, or none.
    if (this.#offer === offer) this.#offer = undefined
    this.#match()
  }

  /** What the other server said that it has leaves the queue. */
  #match(): void {
    const { written } = this.#ports
    for (let item = this.#queue.first; item && this.#session.skip(item); item = this.#queue.first) {
      this.#queue.take()
      this.#suspicion.passed(1)
      written(item, this.#session.skipped(item))
    }
    if (!this.#session.skipping) {
      this.#session.begin()
      this.#n = this.#session.n
      this.#go()
    }
  }

  #write(outlet: Outlet): void {
    if (!this.#ports.isSure()) return
    const first = this.#n
    while (this.#hasRoom(outlet)) {
      const item = this.#queue.take()
      if (!item) break
      const isBegun = this.#session.hasOffset
      const why = unfit(item, { isBegun, outlet, remote: this.remote, suspicion: this.#suspicion })
      if (why) this.#return(item, why)
      else this.#send(outlet, item)
    }
    if (this.#n > first) outlet.flushed()
  }

  #hasRoom(outlet: Outlet): boolean {
    if (this.#stalled || !outlet.isOpen || !outlet.hasRoom) return false
    if (!this.#session.isOpen || (this.#suspicion.isRaised && this.#sent.length > 0)) return false
    return !outlet.isManaged || this.#n - outlet.delivered < mostUnacked
  }

  #send(outlet: Outlet, item: Item): void {
    const { stanza, recipients } = item.frame
    for (const to of recipients.slice(this.#session.takeOffset())) {
      this.#n += 1
      outlet.send(stanza.to === to ? stanza : stanza.with({ to }), this.#n)
    }
    this.#sent.push({ item, n: this.#n })
  }

  #return(item: Item, why: Returned): void {
    const marks = this.#outlet && this.#session.isBegun ? [] : this.#session.abandon()
    this.#ports.bounced(item, why, marks)
    this.#session.pause(() => this.#go())
  }

  #expire(): void {
    const { env, limits } = this.#ports
    // One that went to some of its recipients is not for giving up.
    if (this.#session.hasOffset && this.#outlet) return
    const oldest = env.clock.now() - limits.delivery
    const text = `${this.remote} does not answer`
    for (let item = this.#queue.takeOlder(oldest); item; item = this.#queue.takeOlder(oldest))
      this.#return(item, { condition: 'remote-server-timeout', text })
  }
}
