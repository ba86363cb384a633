import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, message, RawBosh, texts } from './support/bosh.ts'
import { sessionOf, taken } from './support/bosh-scene.ts'
import { type Other, type Scene, scene } from './support/scene.ts'

const portOf = ({ manager }: Other): number => manager.ports.http[0]?.port ?? 0
const away = (text: string): string => message(text, 'nobody@verona.example')

/** Connection managers of which the first ones die when they pass a place for a certain time. */
class Mortal implements AsyncDisposable {
  readonly stage: Scene
  readonly #all: Other[] = []
  /** Resolves when the one that is asked dies. */
  death = Promise.withResolvers<'dead'>()
  deaths = 0
  #lives: [place: string, pass: number][]

  constructor(stage: Scene, lives: readonly [place: string, pass: number][]) {
    this.stage = stage
    this.#lives = [...lives]
  }

  /** The next one, which dies at the next place. */
  async next(): Promise<Other> {
    const [place, pass] = this.#lives.shift() ?? ['', 0]
    this.death = Promise.withResolvers()
    let passed = 0
    const other: Other = await this.stage.another((name) => {
      if (name !== place) return
      passed += 1
      if (passed === pass) void this.#kill(other)
    })
    this.#all.push(other)
    return other
  }

  async #kill(victim: Other): Promise<void> {
    const { resolve } = this.death
    this.deaths += 1
    // At once: nothing of what the place stands before reaches the bus.
    await victim.cutOff()
    await this.stage.bus.leave(victim.manager.instance)
    resolve('dead')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const other of this.#all) await other[Symbol.asyncDispose]()
    await this.stage[Symbol.asyncDispose]()
  }
}

/** Asks until there is an answer of one that lives: the same request, as a client does whose connection broke. */
async function ask(world: Mortal, client: RawBosh, payload: string): Promise<Answer> {
  const { rid } = client
  client.rid += 1
  for (;;) {
    const death = world.death.promise
    const answer = await Promise.race([client.repeat(rid, payload), death])
    const isDead = await Promise.race([death, Promise.resolve('alive')])
    if (answer !== 'dead' && isDead !== 'dead') return answer
    client.port = portOf(await world.next())
  }
}

/** A conversation in both directions over instances that die. */
async function converse(lives: readonly [place: string, pass: number][]): Promise<void> {
  await using world = new Mortal(await scene(), lives)
  const client = await RawBosh.login(portOf(await world.next()), 'romeo')
  const said: string[] = []
  const heard: (string | null)[] = []
  for (let n = 0; n < 6; n += 1) {
    const [here, there] = [`said-${n}`, `heard-${n}`]
    said.push(here, `${here}-too`)
    await world.stage.owner.deliver(sessionOf(world.stage), message(there))
    const answer = await ask(world, client, away(here) + away(`${here}-too`))
    heard.push(...texts(answer))
  }
  // What came too late for the last answer.
  while (heard.length < 6)
    heard.push(...texts(await ask(world, client, away(`more-${heard.length}`))))
  assert.deepEqual(
    heard,
    Array.from({ length: 6 }, (_, n) => `heard-${n}`),
  )
  const got = taken(world.stage).filter((id) => id?.startsWith('said'))
  assert.deepEqual(got, said)
  assert.equal(world.deaths, lives.length)
}

// A log-in takes four passes of both places.
for (const place of ['bosh:unrecorded', 'bosh:recorded'])
  for (const pass of [5, 6, 8])
    test(`both directions, nothing lost, doubled or out of order: death at ${place}, pass ${pass}`, async () => {
      await converse([[place, pass]])
    })

test('… and of one after the other, the second in the middle of the takeover', async () => {
  await converse([
    ['bosh:recorded', 6],
    ['bosh:claimed', 1],
    ['bosh:unrecorded', 1],
    ['bosh:recorded', 2],
  ])
})
