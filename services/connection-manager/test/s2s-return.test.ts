import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { WayBackOffer, WayBackProgress } from '@tactus/bus'
import { realEnv } from '@tactus/env'
import { Stanza } from '@tactus/xml'
import { IncomingManagement } from '../src/s2s/incoming-management.ts'
import type { RelayPorts } from '../src/s2s/relay-outlet.ts'
import { ReturnWay, type ReturnWayOptions } from '../src/s2s/return-way.ts'
import { ReturnWays } from '../src/s2s/return-ways.ts'
import { Route } from '../src/s2s/route.ts'
import { chanceOf, pair, remoteFrame, Store, stream } from './support/s2s-shard.ts'

const token = 'of-the-only-stream'
const clock = { ...realEnv().clock, now: () => 0, monotonic: () => time.now }
const time = { now: 0 }

/** A stream that the other server opened to some connection manager of ours, as far as its way back goes. */
class BackStream {
  readonly way: ReturnWay
  /** Written, and not read by the other server yet. */
  readonly wire: string[] = []
  isAsked = false
  /** The system has sent what was written. */
  hasLeft = true
  readonly #management: IncomingManagement
  #isOpen = true

  constructor(tag: string) {
    const isOpen = (): boolean => this.#isOpen
    const hasLeft = (): boolean => this.hasLeft
    let bytesWritten = 0
    const connection = {
      get isOpen() {
        return isOpen()
      },
      context: { wheel: { now: 0 } },
      get bytesWritten() {
        return bytesWritten
      },
      transport: {
        get writableLength() {
          return hasLeft() ? 0 : bytesWritten
        },
        destroy: () => this.break(),
      },
      sendBytes: (bytes: Uint8Array) => {
        const [, to = '', id = ''] =
          /^(?=.* to='([^']+)')(?=.* id='([^']+)')/.exec(String(Buffer.from(bytes))) ?? []
        this.wire.push(`${id} ${to}`)
        bytesWritten += bytes.length
        return bytesWritten
      },
    } as unknown as ReturnWayOptions['connection']
    this.#management = new IncomingManagement({
      send: ({ name }) => {
        if (name === 'r') this.isAsked = true
      },
      pair: () => `${pair.remote} ${pair.local}`,
      resumable: {
        max: 600,
        token: () => token,
        open: (_token, _stream, _about, noted) => void setImmediate(noted),
        mark: () => ({ key: '', field: '', value: undefined }),
        take: async () => 0,
        gone: () => {},
      },
      superseded: () => {},
      begun: () => this.way.begin(),
      undecided: () => {},
      now: () => 0,
    })
    const { random } = realEnv()
    const management = this.#management
    this.way = new ReturnWay({ ...pair, tag, connection, management, random, mostBytes: undefined })
  }

  async say(text: string): Promise<void> {
    await this.#management.element(Stanza.parse(text.replace(/^<\w+/, "$& xmlns='urn:xmpp:sm:3'")))
  }

  break(): void {
    this.#isOpen = false
    this.wire.length = 0
  }

  get isOpen(): boolean {
    return this.#isOpen
  }
}

/** Messages for a server that can only be reached by its own stream, while everything breaks that may. */
class World {
  readonly sent: string[] = []
  readonly got: string[] = []
  readonly store = new Store()
  readonly #chance: (most: number) => number
  readonly #streams = new Map<string, BackStream>()
  /** Requests to those who have the stream that come when nobody waits for them any more. */
  readonly #late: (() => void)[] = []
  #current: BackStream | undefined
  #shard = this.store.shard()
  #route: Route | undefined

  constructor(chance: (most: number) => number) {
    this.#chance = chance
  }

  async step(): Promise<void> {
    const what = this.#chance(16)
    if (what === 0) this.#current?.break()
    else if (what === 1) this.#die()
    else if (what === 2) this.#late.shift()?.()
    else if (what < 6) this.send()
    else if (what < 8) this.store.commit(this.#chance(4))
    else if (what === 8) await this.acknowledge()
    else if (what === 9) await this.comeBack()
    else if (what === 10) this.stall(true)
    else if (what === 11) this.stall(false)
    else this.take(this.#chance(4))
    if (this.#chance(6) === 0) this.tick()
    await turn()
  }

  /** What it had so far it says when it resumes; another connection manager than before may get it. */
  async comeBack(): Promise<void> {
    if (!this.#current?.isOpen) {
      this.#current = new BackStream(`t${this.#streams.size}`)
      this.#streams.set(this.#current.way.tag, this.#current)
      const isFirst = this.#streams.size === 1
      await this.#current.say(
        isFirst ? "<enable resume='true'/>" : `<resume previd='${token}' h='${this.got.length}'/>`,
      )
    }
    const { tag } = this.#current.way
    this.#holder.offer({ instance: 'cm', tag, ...pair, id: token })
  }

  stall(isStalled: boolean): void {
    if (this.#current) this.#current.way.isStalled = isStalled
  }

  /** A stream of which nobody says yet that its stanzas are to be acknowledged. */
  begin(): BackStream {
    const made = new BackStream('plain')
    this.#current = made
    this.#streams.set(made.way.tag, made)
    made.way.heard()
    this.#holder.offer({ instance: 'cm', tag: made.way.tag, ...pair, id: undefined })
    return made
  }

  take(count: number): void {
    if (this.#current) this.got.push(...this.#current.wire.splice(0, count))
  }

  async acknowledge(): Promise<void> {
    const { isAsked = false, isOpen = false } = this.#current ?? {}
    if (!this.#current || !isAsked || !isOpen) return
    this.#current.isAsked = false
    await this.#current.say(`<a h='${this.got.length}'/>`)
  }

  tick(): void {
    time.now += 1_000
    this.#route?.tick()
  }

  send(): void {
    const frame = remoteFrame(this.sent.length, 1 + this.#chance(3))
    this.sent.push(...frame.recipients.map((to) => `${frame.id} ${to}`))
    for (const item of this.#shard.take(this.store.append(frame))) this.#holder.add(item, false)
  }

  /** Who holds the shard is dead, and another one takes it. */
  #die(): void {
    this.store.commit(this.#chance(2))
    this.store.forget()
    this.#shard = this.store.shard()
    this.#route = undefined
    for (const [position, frames] of this.store.entries)
      for (const item of this.#shard.take({ stream, position, frames }))
        this.#holder.add(item, false)
  }

  get #holder(): Route {
    this.#route ??= new Route(pair, this.#shard, {
      env: { ...realEnv(), clock },
      limits: {
        ...{ stanzas: 1e6, bytes: 1e9, delivery: 1e12 },
        ...{ idle: 1e12, acknowledgement: 1e12, resumption: 1e12 },
      },
      dial: (_route, listener) => listener.ended({ message: 'nobody is there', final: undefined }),
      isSure: () => true,
      attach: async ({ tag }) => this.#streams.get(tag)?.way.attach(),
      relay: (offer) => this.#relay(offer),
      written: (item, marks) => item.shard.settle(item, { marks }),
      bounced: () => assert.fail('nothing goes back'),
    })
    return this.#route
  }

  #relay({ tag }: WayBackOffer): RelayPorts {
    const way = this.#streams.get(tag)?.way
    const carry: RelayPorts['carry'] = async (...what) => {
      const isDone = (): WayBackProgress | undefined => way?.carry(...what)
      const fate = this.#chance(8)
      if (fate === 0) this.#late.push(isDone)
      if (fate === 1) isDone()
      if (fate < 3) throw new Error('no answer')
      return isDone()
    }
    const detach = (key: string): void => {
      if (this.#chance(2) === 0) way?.detach(key)
    }
    return { clock, patience: 3_000, isSure: () => true, carry, detach }
  }
}

test('XEP-0288, XEP-0198 §5: whatever breaks and whoever dies on the way back, the other server gets everything once and in order', async () => {
  for (let seed = 1; seed <= 25; seed += 1) {
    const world = new World(chanceOf(seed))
    for (let steps = 0; steps < 400; steps += 1) await world.step()
    for (let rounds = 0; rounds < 400 && world.store.entries.size > 0; rounds += 1) {
      await world.comeBack()
      world.stall(false)
      world.tick()
      await turn()
      world.take(100)
      await world.acknowledge()
      world.store.commit(100)
    }
    assert.equal(world.store.entries.size, 0, `seed ${seed}: everything leaves the shard`)
    assert.deepEqual(world.got, world.sent, `seed ${seed}`)
  }
})

test('XEP-0198 §3: what was written before the other server asks for acknowledgements is not written again', async () => {
  const world = new World((most) => most - 1)
  const back = world.begin()
  back.hasLeft = false
  world.send()
  while (back.wire.length < world.sent.length) await turn()
  const enabling = back.say("<enable resume='true'/>")
  world.send()
  await enabling
  world.tick()
  await turn()
  back.hasLeft = true
  for (let rounds = 0; rounds < 20; rounds += 1) {
    await turn()
    world.tick()
    world.store.commit(100)
    await world.comeBack()
  }
  world.take(100)
  assert.deepEqual(world.got, world.sent)
})

test('XEP-0288: what was to be written before a pause is written no more after it, because it may have gone by another stream meanwhile', async () => {
  const back = new BackStream('t')
  await back.say("<enable resume='true'/>")
  await turn()
  const world = { isSure: true }
  const ways = new ReturnWays({
    bus: {} as ConstructorParameters<typeof ReturnWays>[0]['bus'],
    env: { ...realEnv(), clock },
    instance: 'cm',
    isSure: () => world.isSure,
    patience: 1_000,
    now: () => 0,
    offer: async () => {},
  })
  ways.add(back.way)
  const granted = back.way.attach()
  assert.ok(typeof granted === 'object')
  const stanzas = [Buffer.from("<message to='a' id='1'/>")]
  const late = { key: granted.key, first: 1, stanzas }
  world.isSure = false
  assert.equal(ways.carry('t', late), undefined)
  ways.tick()
  world.isSure = true
  assert.equal(ways.carry('t', late), undefined)
  assert.deepEqual(back.wire, [])
})
