import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Half, MemoryBroker, MemoryBus, type Position, type StreamName } from '@tactus/bus'
import { partitionStream } from '@tactus/cluster'
import { realEnv } from '@tactus/env'
import { Stanza } from '@tactus/xml'
import { Handled } from '../src/s2s/handled.ts'
import { IncomingManagement } from '../src/s2s/incoming-management.ts'
import { OutgoingManagement } from '../src/s2s/outgoing-management.ts'
import { Passing } from '../src/s2s/passing.ts'
import { Store } from './support/s2s-shard.ts'

const partitions = 4
const [first, second] = [partitionStream(0), partitionStream(1)]
const limit = { timeout: 20_000 }

/** A bus with a connection manager at one end and the owner of all partitions at the other. */
class Scene implements AsyncDisposable {
  readonly passing: Passing
  readonly #bus: MemoryBus
  #step = 0

  constructor() {
    const env = realEnv()
    this.#bus = new MemoryBus({ env, broker: new MemoryBroker() })
    this.passing = new Passing(this.#bus, env, partitions)
  }

  /** Puts a stanza into a partition; answers where. */
  async put(stream: StreamName): Promise<Position> {
    const stanza = Stanza.parse("<message xmlns='jabber:client' to='juliet@verona.lit'/>")
    const entity = 'juliet@verona.lit'
    const half: Half = { kind: 'half', entity, stanza, id: 'i', at: 0, durable: true, hops: 1 }
    const operations = [{ op: 'append', stream, frames: [half] }] as const
    const outcome = await this.#commit(operations)
    const [position = ''] = 'positions' in outcome ? outcome.positions : []
    return position
  }

  /** The owner has its rows in the database, and takes it off the bus. */
  async own(stream: StreamName, position: Position): Promise<void> {
    await this.#commit([{ op: 'remove', stream, positions: [position] }])
  }

  passed(stream: StreamName, position: Position | undefined): Promise<void> {
    return new Promise((resolve) => this.passing.add(stream, position, resolve))
  }

  #commit(operations: Parameters<MemoryBus['commit']>[0]['operations']) {
    this.#step += 1
    return this.#bus.commit({ router: 'one', step: this.#step, operations })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.passing.stop()
    await this.#bus[Symbol.asyncDispose]()
  }
}

/** What another server that opened a stream hears of its stanzas. */
class Heard {
  readonly management: IncomingManagement
  readonly #said: string[] = []
  #told: () => void = () => {}

  constructor() {
    this.management = new IncomingManagement({
      send: (element) => {
        this.#said.push(String(element.attrs.h ?? element.name))
        this.#told()
      },
      pair: () => 'mantua.lit verona.lit',
      superseded: () => {},
      begun: () => {},
      undecided: () => {},
      now: () => 0,
      resumable: { max: 0 } as ConstructorParameters<typeof IncomingManagement>[0]['resumable'],
    })
  }

  say(name: string): void {
    void this.management.element(Stanza.parse(`<${name} xmlns='urn:xmpp:sm:3'/>`))
  }

  async next(): Promise<string | undefined> {
    while (this.#said.length === 0) await new Promise<void>((resolve) => (this.#told = resolve))
    return this.#said.shift()
  }
}

test(
  'XEP-0198 §4: what another server sent is acknowledged when the owners of its recipients have committed it, and all before it',
  limit,
  async () => {
    await using scene = new Scene()
    const { passing } = scene
    const heard = new Heard()
    heard.say('enable')
    assert.equal(await heard.next(), 'enabled')
    const places = [await scene.put(first), await scene.put(second)] as const
    for (const [index, stream] of [first, second].entries()) {
      const { done, passed } = heard.management.received()
      done()
      if (passed) passing.add(stream, places[index], passed)
    }

    heard.say('r')
    assert.equal(await heard.next(), '0', 'both are on the bus, and in no database')
    await scene.own(second, places[1])
    await scene.passed(second, places[1])
    heard.say('r')
    assert.equal(await heard.next(), '0', 'only the second is in a database')
    await scene.own(first, places[0])
    assert.equal(await heard.next(), '2', 'told unasked, since more was asked for')
  },
)

test('XEP-0288: what another server sent by a stream of ours is acknowledged in the same way', () => {
  const said: string[] = []
  const handled = new Handled(new Store().shard(), 'verona.lit mantua.lit')
  const management: OutgoingManagement = new OutgoingManagement({
    send: ({ name, attrs }) => void (name === 'a' && said.push(String(attrs.h))),
    now: () => 0,
    begun: () => management.count(0),
    acknowledged: () => {},
    handled,
  })
  const hear = (text: string): void =>
    management.element(Stanza.parse(text.replace('/>', " xmlns='urn:xmpp:sm:3'/>")))
  management.begin(undefined)
  hear("<enabled id='x' resume='true'/>")
  const [one, other] = [management.received(), management.received()]
  for (const { done } of [one, other]) done()
  assert.ok(handled.isSettled)
  other.passed?.()
  hear('<r/>')
  assert.deepEqual(said, ['0'], 'only the second is in a database')
  one.passed?.()
  assert.deepEqual(said, ['0', '2'], 'told unasked, since more was asked for')
})

test(
  'design §3.3: where the bus does not say where it put something, what counts is all that is there',
  limit,
  async () => {
    await using scene = new Scene()
    const places = [await scene.put(first), await scene.put(first)] as const
    let isPassed = false
    const passed = scene.passed(first, undefined).then(() => {
      isPassed = true
    })
    await scene.own(first, places[0])
    await scene.passed(second, '0')
    assert.equal(isPassed, false)
    await scene.own(first, places[1])
    await passed
  },
)

test(
  'XEP-0198 §5: before a stream is resumed all that is in any partition has been committed',
  limit,
  async () => {
    await using scene = new Scene()
    const [one, other] = [await scene.put(first), await scene.put(second)]
    let isEverything = false
    const everything = scene.passing.everything().then(() => {
      isEverything = true
    })
    await scene.own(first, one)
    await scene.passed(first, one)
    assert.equal(isEverything, false)
    // What comes later is not waited for.
    await scene.put(first)
    await scene.own(second, other)
    await everything
  },
)

test('what goes to a component stands in no database, and counts once it is on the bus', () => {
  const passing = new Passing({} as MemoryBus, realEnv(), partitions)
  let isPassed = false
  passing.add('c:irc.verona.lit:0', '1-0', () => {
    isPassed = true
  })
  assert.equal(isPassed, true)
})
