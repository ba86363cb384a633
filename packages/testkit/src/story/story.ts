import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseElement, type Stanza, type XmlElement } from '@tactus/xml'
import { mismatch } from './match.ts'
import type { Connection, StoryTarget } from './target.ts'

/** Milliseconds after which what has not come will not come. */
const longestWait = 20_000

type Tag<R> = (strings: TemplateStringsArray, ...values: readonly unknown[]) => R

/** A resource in a story: says stanzas and is asked what it heard. */
export interface Client {
  /** The full JID. */
  readonly jid: string
  /** The bare JID. */
  readonly account: string
  /** Sends stanzas and waits until the server is done with them. */
  readonly send: Tag<Promise<void>>
  /** The next stanza received is this one; `{any}` matches any attribute value or text. */
  readonly receives: Tag<XmlElement>
  /** The next stanzas received are these, in whatever order. */
  readonly receivesInAnyOrder: Tag<void>
  /** The answer to the request of this id, which may take a job and so come after what was sent is done with. */
  hears(id: string): Promise<XmlElement>
  /** Nothing (more) was received. */
  receivesNothing(): Promise<void>
  /** Waits until that many stanzas are there that were not looked at: for what takes more than the way of a stanza. */
  arrived(count: number): Promise<void>
  /** Takes everything received so far. */
  drain(): readonly Stanza[]
  /** Ends the stream in order; `drop` loses the connection. */
  close(): Promise<void>
  drop(): Promise<void>
  /** The stream error that ended the stream, if one did. */
  ended(): string | undefined
}

/** What a scene works with. */
export interface Story {
  /** Makes the account where it does not exist and binds the resource; sends no presence. */
  connect(jid: string): Promise<Client>
  /** As `connect`, then sends initial presence and forgets what came of that. */
  online(jid: string): Promise<Client>
  /** Two accounts subscribe to each other's presence, as if they had always been. */
  befriend(one: Client, other: Client): Promise<void>
  /** Runs an admin command. */
  command(name: string, given: unknown): Promise<unknown>
  /** Waits until nothing is under way. */
  settle(): Promise<void>
  /** Lets time pass for timers; only where the target can (`memory`). */
  pass(milliseconds: number): Promise<void>
  /** The bus loses all it holds, sessions and occupants among it, as when Redis is emptied; only in `memory`. */
  loseBus(): Promise<void>
  /** Names of what the bus holds for an entity while it is in use; only in `memory`. */
  live(entity: string): Promise<readonly string[]>
}

/** How a story wants its server. */
export interface StoryOptions {
  /** Settings of modules, as under `modules` of the configuration. */
  readonly modules?: Readonly<Record<string, unknown>>
  /** More of the configuration; such a story runs in memory only. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Why the story cannot run against real processes, where it cannot. */
  readonly memoryOnly?: string
}

/** `story(title, scene)` or `story(title, options, scene)`. */
export type TellStory = (
  title: string,
  ...rest:
    | [options: StoryOptions, scene: (story: Story) => Promise<void>]
    | [scene: (story: Story) => Promise<void>]
) => void

/** Longest wait for an answer that is owed, ms: nothing that works comes near it. */
const mostPatience = 20_000

/** Makes `story` for one way of running the server; a `real` one has processes and sockets. */
export function storyTeller(
  openTarget: (options: StoryOptions) => Promise<StoryTarget>,
  real: boolean,
): TellStory {
  return (title, ...rest) => {
    const [options, scene] = rest.length === 2 ? rest : [{}, rest[0]]
    void test(title, { skip: real ? onlyInMemory(options) : false }, async () => {
      const target = await openTarget(options)
      try {
        const tale = new Scene(target)
        await scene({
          connect: (jid) => tale.connect(jid),
          online: (jid) => tale.online(jid),
          befriend: (one, other) => tale.befriend(one, other),
          command: (name, given) => tale.command(name, given),
          settle: () => tale.settle(),
          pass: (milliseconds) => tale.pass(milliseconds),
          loseBus: () => tale.loseBus(),
          live: (entity) => tale.live(entity),
        })
      } finally {
        await target.close()
      }
    })
  }
}

function onlyInMemory(options: StoryOptions): string | false {
  if (options.memoryOnly !== undefined) return options.memoryOnly
  return options.modules || options.config ? 'it needs a server of its own' : false
}

class Scene implements Story {
  readonly #target: StoryTarget
  readonly #clients: StoryClient[] = []

  constructor(target: StoryTarget) {
    this.#target = target
  }

  async connect(jid: string): Promise<Client> {
    const connection = await this.#target.connect(jid)
    const client = new StoryClient(connection, () => this.settle())
    this.#clients.push(client)
    return client
  }

  async online(jid: string): Promise<Client> {
    const client = await this.connect(jid)
    await client.send`<presence/>`
    for (const other of this.#clients) if (other.account === client.account) other.drain()
    return client
  }

  async befriend(one: Client, other: Client): Promise<void> {
    await one.send`<presence to='${other.account}' type='subscribe'/>`
    await other.send`<presence to='${one.account}' type='subscribed'/>`
    await other.send`<presence to='${one.account}' type='subscribe'/>`
    await one.send`<presence to='${other.account}' type='subscribed'/>`
    for (const client of this.#clients) client.drain()
  }

  async command(name: string, given: unknown): Promise<unknown> {
    const output = await this.#target.command(name, given)
    await this.settle()
    return output
  }

  async settle(): Promise<void> {
    await this.#target.settle(this.#clients.map(({ connection }) => connection))
  }

  async pass(milliseconds: number): Promise<void> {
    await this.#target.pass(milliseconds)
    await this.settle()
  }

  live(entity: string): Promise<readonly string[]> {
    return this.#target.live(entity)
  }

  async loseBus(): Promise<void> {
    this.#clients.length = 0
    await this.#target.loseBus()
  }
}

class StoryClient implements Client {
  readonly connection: Connection
  readonly #settle: () => Promise<void>

  constructor(connection: Connection, settle: () => Promise<void>) {
    this.connection = connection
    this.#settle = settle
  }

  get jid(): string {
    return this.connection.jid
  }

  get account(): string {
    return this.connection.jid.split('/')[0] ?? ''
  }

  async send(strings: TemplateStringsArray, ...values: readonly unknown[]): Promise<void> {
    for (const stanza of stanzas(strings, values)) this.connection.send(stanza)
    await this.#settle()
  }

  receives(strings: TemplateStringsArray, ...values: readonly unknown[]): XmlElement {
    const [expected, ...others] = stanzas(strings, values)
    assert(expected && others.length === 0, 'expect one stanza at a time')
    const received = this.connection.inbox.shift()
    assert(received, `${this.jid} received nothing, expected ${expected}`)
    const problem = mismatch(expected, received.element)
    if (problem)
      assert.fail(`${this.jid}: ${problem}\n  expected ${expected}\n  received ${received}`)
    return received.element
  }

  receivesInAnyOrder(strings: TemplateStringsArray, ...values: readonly unknown[]): void {
    for (const expected of stanzas(strings, values)) {
      const at = this.connection.inbox.findIndex(
        ({ element }) => mismatch(expected, element) === undefined,
      )
      if (at < 0)
        assert.fail(
          `${this.jid} did not receive ${expected}\n  but:\n  ${this.connection.inbox.join('\n  ')}`,
        )
      this.connection.inbox.splice(at, 1)
    }
  }

  async hears(id: string): Promise<XmlElement> {
    const deadline = Date.now() + mostPatience
    for (;;) {
      await this.#settle()
      const { inbox, ended } = this.connection
      const at = inbox.findIndex((stanza) => stanza.id === id)
      const [answer] = at < 0 ? [] : inbox.splice(at, 1)
      if (answer) return answer.element
      if (Date.now() > deadline || ended !== undefined)
        assert.fail(`${this.jid} never heard ${id}, but:\n  ${inbox.join('\n  ')}`)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async receivesNothing(): Promise<void> {
    await this.#settle()
    assert.deepEqual(this.connection.inbox.map(String), [], `${this.jid} received something`)
  }

  async arrived(count: number): Promise<void> {
    const deadline = Date.now() + longestWait
    while (this.connection.inbox.length < count) {
      if (Date.now() > deadline)
        assert.fail(`${this.jid} received only\n  ${this.connection.inbox.join('\n  ')}`)
      await this.#settle()
    }
  }

  drain(): readonly Stanza[] {
    return this.connection.inbox.splice(0)
  }

  async close(): Promise<void> {
    await this.connection.end('closed')
    await this.#settle()
  }

  async drop(): Promise<void> {
    await this.connection.end('dropped')
    await this.#settle()
  }

  ended(): string | undefined {
    return this.connection.ended
  }
}

/** The stanzas of a template literal, in jabber:client. */
function stanzas(strings: TemplateStringsArray, values: readonly unknown[]): XmlElement[] {
  const source = String.raw({ raw: strings }, ...values.map(String)).trim()
  const parent = parseElement(`<story xmlns='jabber:client'>${source}</story>`)
  return parent.children
    .filter((child): child is XmlElement => typeof child !== 'string')
    .map(withNamespace)
}

/** A child of the wrapper says nothing of its namespace; on its own it must. */
function withNamespace(element: XmlElement): XmlElement {
  element.attrs.xmlns ??= 'jabber:client'
  return element
}
