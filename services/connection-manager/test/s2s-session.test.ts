import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Entry } from '@tactus/bus'
import { realEnv } from '@tactus/env'
import { Stanza } from '@tactus/xml'
import { OutgoingManagement } from '../src/s2s/outgoing-management.ts'
import type { OutgoingListener, OutgoingStream } from '../src/s2s/outgoing-stream.ts'
import { Route } from '../src/s2s/route.ts'
import type { RoutePorts } from '../src/s2s/route-ports.ts'
import { type Shard, sessionsKey } from '../src/s2s/shard.ts'
import { chanceOf, pair, remoteFrame, Store, stream } from './support/s2s-shard.ts'

/** Another server: what it got, in order, and what it remembers of the stream that broke. */
class Peer {
  readonly got: string[] = []
  /** Its count of what it got, by the id of the stream. */
  readonly #counts = new Map<string, number>()
  #id = ''
  /** Streams that it resumes no more; it still knows how many stanzas came by them (§5). */
  readonly #expired = new Set<string>()
  #wire: string[] = []
  #said: string[] = []
  /** Id of a stanza that it ends its stream over. */
  readonly #poison: string
  isOpen = false
  /** How streams to it were ended in good order. */
  readonly farewells: string[] = []
  listener: OutgoingListener | undefined
  management: OutgoingManagement | undefined

  constructor(poison = 'none') {
    this.#poison = poison
  }

  /** A stream to it, as far as a route sees one. */
  dial(resumes: string | undefined, listener: OutgoingListener): void {
    this.isOpen = true
    this.#wire = []
    this.#said = []
    this.listener = listener
    const peer = this
    const made = {
      connection: {
        get isOpen() {
          return peer.isOpen
        },
        framing: { stanza: (stanza: Stanza) => stanza },
        sendBytes: (stanza: Stanza) => this.#wire.push(`${stanza.id} ${stanza.to}`),
        context: { wheel: { now: 0 } },
        wakeAt: () => {},
        transport: { destroy: () => this.hangUp() },
        finish: (how: string) => {
          this.farewells.push(how)
          this.hangUp()
        },
      },
    }
    const management = new OutgoingManagement({
      send: (element) => this.#said.push(element.name),
      now: () => 0,
      begun: () => listener.ready({ ...made, management } as unknown as OutgoingStream),
      acknowledged: () => listener.acknowledged?.(),
      handled: undefined,
    })
    this.management = management
    management.begin(resumes)
    const known = this.#counts.get(resumes ?? '')
    if (resumes !== undefined && this.#expired.has(resumes)) this.#say(`<failed h='${known}'/>`)
    else if (resumes !== undefined && known !== undefined) {
      this.#id = resumes
      return this.#say(`<resumed h='${known}'/>`)
    }
    this.#id = String(this.#counts.size + 1)
    this.#counts.set(this.#id, 0)
    this.#say(`<enabled id='${this.#id}' resume='true'/>`)
  }

  /** Whatever broke is not resumed any more. */
  expire(): void {
    for (const id of this.#counts.keys()) if (!this.isOpen || id !== this.#id) this.#expired.add(id)
  }

  /** Takes so many of the stanzas that are under way. */
  take(count: number): void {
    const bad = this.#wire.findIndex((stanza) => stanza.startsWith(`${this.#poison} `))
    const isOver = bad >= 0 && bad < count
    const taken = this.#wire.splice(0, isOver ? bad : count)
    this.got.push(...taken)
    this.#counts.set(this.#id, this.#h + taken.length)
    if (isOver) this.hangUp({ isBlame: true })
  }

  acknowledge(): void {
    const isAsked = this.#said.includes('r')
    this.#said = []
    if (this.isOpen && isAsked) this.#say(`<a h='${this.#h}'/>`)
  }

  hangUp({ isBlame = false } = {}): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.#wire = []
    this.listener?.ended({ message: 'it broke', final: undefined, isBlame })
  }

  get #h(): number {
    return this.#counts.get(this.#id) ?? 0
  }

  /** The other end is gone without a word. */
  lose(): void {
    this.isOpen = false
    this.listener = undefined
    this.#wire = []
  }

  #say(text: string): void {
    this.management?.element(Stanza.parse(text.replace(/^<\w+/, "$& xmlns='urn:xmpp:sm:3'")))
  }
}

/** A route from nowhere in particular, whose clock stands still until it is moved. */
function routeOf(
  shard: Shard,
  clock: { readonly now: number },
  ports: Pick<RoutePorts, 'dial'> & Partial<RoutePorts>,
): Route {
  const env = realEnv()
  return new Route(pair, shard, {
    env: { ...env, clock: { ...env.clock, now: () => 0, monotonic: () => clock.now } },
    limits: {
      ...{ stanzas: 1e6, bytes: 1e9, delivery: 1e9 },
      ...{ idle: 1e9, acknowledgement: 1e9, resumption: 1e9 },
    },
    isSure: () => true,
    attach: async () => undefined,
    relay: () => assert.fail('nothing is offered'),
    written: (item, marks) => item.shard.settle(item, { marks }),
    bounced: () => assert.fail('nothing goes back'),
    ...ports,
  })
}

/** Messages that are sent while connections break and holders die, in an order that the seed decides. */
function live(
  seed: number,
  poison = 'none',
): {
  readonly sent: readonly string[]
  readonly got: readonly string[]
  readonly returned: readonly string[]
} {
  const chance = chanceOf(seed)
  const store = new Store()
  const peer = new Peer(poison)
  const clock = { now: 0 }
  const sent: string[] = []
  const returned: string[] = []
  let frames = 0
  let shard = store.shard()
  let route: Route | undefined
  const makeRoute = (): Route =>
    routeOf(shard, clock, {
      dial: ({ resumes }, listener) => peer.dial(resumes, listener),
      bounced: (item, { condition }, marks) => {
        returned.push(`${item.frame.id} ${condition}`)
        item.shard.settle(item, { marks })
      },
    })
  const deal = (entry: Entry): void => {
    route ??= makeRoute()
    for (const item of shard.take(entry)) route.add(item, false)
  }
  const die = (): void => {
    store.commit(chance(2))
    store.forget()
    peer.lose()
    shard = store.shard()
    route = undefined
    for (const [position, frames] of store.entries) deal({ stream, position, frames })
  }
  const step = (): void => {
    switch (chance(13)) {
      case 0:
        return peer.hangUp()
      case 1:
        return die()
      case 2:
      case 3:
      case 4: {
        const frame = remoteFrame(frames++, 1 + chance(3))
        sent.push(...frame.recipients.map((to) => `${frame.id} ${to}`))
        return deal(store.append(frame))
      }
      case 5:
      case 6:
        return store.commit(chance(4))
      case 7:
        return peer.acknowledge()
      case 8:
        return peer.expire()
      default:
        return peer.take(chance(4))
    }
  }
  const settle = (): void => {
    clock.now += 1e6
    store.commit(100)
    route?.tick()
  }
  for (let steps = 0; steps < 400; steps += 1) {
    step()
    if (chance(8) === 0) settle()
  }
  for (let rounds = 0; rounds < 200 && store.entries.size > 0; rounds += 1) {
    settle()
    peer.take(100)
    peer.acknowledge()
  }
  assert.equal(store.entries.size, 0, 'everything leaves the shard')
  return { sent, got: peer.got, returned }
}

test('XEP-0198 §5: whatever breaks and whoever dies, the other server gets everything once and in order', () => {
  for (let seed = 1; seed <= 25; seed += 1) {
    const { sent, got, returned } = live(seed)
    assert.deepEqual(got, sent, `seed ${seed}`)
    assert.deepEqual(returned, [], `seed ${seed}`)
  }
})

test('design §3.10: a stanza that the other server ends its streams over goes back, and nothing else', () => {
  for (let seed = 1; seed <= 25; seed += 1) {
    const { sent, got, returned } = live(seed, '7')
    const borne = sent.filter((stanza) => !stanza.startsWith('7 '))
    assert.deepEqual(got, borne, `seed ${seed}`)
    // A holder that died may have returned it, and the bus not known.
    assert.deepEqual([...new Set(returned)], ['7 policy-violation'], `seed ${seed}`)
  }
})

test('RFC 6120 §10.4: another server that shows that it is there is gone to at once, however long it was away', () => {
  const store = new Store()
  const clock = { now: 0 }
  let dials = 0
  const route = routeOf(store.shard(), clock, {
    dial: (_route, listener) => {
      dials += 1
      listener.ended({ message: 'nobody is there', final: undefined })
    },
  })
  const [item] = route.shard.take(store.append(remoteFrame(1, 1)))
  assert(item)
  route.add(item, false)
  for (let tries = 0; tries < 10; tries += 1) {
    clock.now += 200_000
    route.tick()
  }
  const before = dials
  clock.now += 2_000
  route.tick()
  assert.equal(dials, before, 'it is waited for')
  route.awake()
  assert.equal(dials, before + 1)
  for (let told = 0; told < 10; told += 1) route.awake()
  assert.equal(dials, before + 1, 'who says so all the time is not gone to all the time')
  clock.now += 2_000
  route.tick()
  assert.equal(dials, before + 2, 'the waits begin anew')
})

test('design §9: a route that goes to another connection manager waits for what it wrote, ends its stream in good order, and leaves nothing to be resumed', () => {
  const store = new Store()
  const peer = new Peer()
  const resumed: (string | undefined)[] = []
  const dial: RoutePorts['dial'] = ({ resumes }, listener) => {
    resumed.push(resumes)
    peer.dial(resumes, listener)
  }
  const shard = store.shard()
  const route = routeOf(shard, { now: 0 }, { dial })
  const send = (id: number): void => {
    for (const item of shard.take(store.append(remoteFrame(id, 1)))) route.add(item, false)
  }
  send(1)
  store.commit(10)
  peer.take(10)
  assert.equal(store.hashes.get(sessionsKey(stream))?.size, 1)

  assert.equal(route.leave(false), false, 'what was written is not acknowledged')
  assert.ok(peer.isOpen)
  send(2)
  peer.take(10)
  peer.acknowledge()
  assert.equal(route.leave(false), true)
  assert.deepEqual(peer.farewells, [], 'not before the bus knows')
  store.commit(10)
  assert.deepEqual(peer.farewells, ['closed'])
  assert.equal(store.hashes.get(sessionsKey(stream))?.size, 0)

  const next = routeOf(store.shard(), { now: 0 }, { dial })
  for (const [position, frames] of store.entries)
    for (const item of next.shard.take({ stream, position, frames })) next.add(item, false)
  store.commit(10)
  peer.take(10)
  assert.deepEqual(resumed, [undefined, undefined])
  assert.deepEqual(peer.got, ['1 r0@mantua.lit', '2 r0@mantua.lit'])
})
