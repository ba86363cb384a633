import { setTimeout as pause } from 'node:timers/promises'
import { entityOf } from '@tactus/cluster'
import { type Stanza, xml } from '@tactus/xml'
import type { Chance } from './chance.ts'
import { ManagedClient } from './managed-client.ts'
import { Roll, type RollVerdict } from './roll.ts'
import { Troublemaker } from './troublemaker.ts'

/** Who is in the room, where it is, and how much is said. */
export interface ChorusOptions {
  /** Full JIDs. */
  readonly jids: readonly string[]
  readonly password: string
  /** Doors of the moment. */
  readonly ports: () => readonly number[]
  /** Bare JID of the room. */
  readonly room: string
  /** The pubsub service and its node. */
  readonly service: string
  readonly node: string
  /** Lines and items per second, of each half as many. */
  readonly rate: number
  readonly disturbed: number
  readonly chance: Chance
}

const client = 'jabber:client'
const pubsub = 'http://jabber.org/protocol/pubsub'

/**
 * Clients that are in one room and subscribed to one node: each says numbered lines, the first publishes numbered items,
 * and all must hear all of it in the same order.
 */
export class Chorus {
  readonly lines = new Roll()
  readonly items = new Roll()
  readonly singers: readonly ManagedClient[]
  readonly violations: string[] = []
  readonly #options: ChorusOptions
  readonly #trouble: Troublemaker
  readonly #inside = new Set<string>()
  /** Ids of the requests that made the room and the node, once answered. */
  readonly #owned = new Set<string>()
  #talk: NodeJS.Timeout | undefined
  #number = 0

  constructor(options: ChorusOptions) {
    this.#options = options
    this.singers = options.jids.map((jid, index) => this.#singer(jid, index))
    this.#trouble = new Troublemaker(this.singers, options)
  }

  /** All come in, the first as the owner of the room and of the node. */
  async start(): Promise<void> {
    const [first] = this.singers
    if (!first) return
    await first.start()
    await this.#until(() => this.#inside.has(first.jid))
    this.#own(first)
    // Nobody else gets into a room that is being configured (XEP-0045 §10.1.1).
    await this.#until(() => this.#owned.size === 2)
    await Promise.all(this.singers.map((singer) => singer === first || singer.start()))
    await this.#until(() => this.#inside.size === this.singers.length)
    this.#talk = setInterval(() => this.#speak(), 1_000 / this.#options.rate)
    this.#trouble.start()
  }

  /** Says no more; those who are disturbed recover. */
  quiet(): void {
    clearInterval(this.#talk)
    this.#trouble.stop()
  }

  /** Waits until everything was heard, or nothing moves any more. */
  async settle(within: number): Promise<void> {
    const until = performance.now() + within
    while (this.#isOpen && performance.now() < until) await pause(100)
    // What is doubled comes late.
    await pause(1_000)
  }

  get #isOpen(): boolean {
    return (
      this.lines.open + this.items.open > 0 ||
      this.singers.some(({ unacked, isAttached }) => unacked > 0 || !isAttached)
    )
  }

  verdicts(): { readonly lines: RollVerdict; readonly items: RollVerdict } {
    return { lines: this.lines.verdict(), items: this.items.verdict() }
  }

  async stop(): Promise<void> {
    this.quiet()
    await Promise.all(this.singers.map((singer) => singer.stop()))
  }

  async #until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await pause(50)
  }

  #speak(): void {
    this.#number += 1
    const [first] = this.singers
    if (this.#number % 2 === 0 && first) return this.#publish(first)
    const singer = this.singers[(this.#number >> 1) % this.singers.length]
    if (!singer?.mayTalk || !this.#inside.has(singer.jid)) return
    const id = `line ${this.#number}`
    this.lines.said(id)
    const body = xml('body', {}, 'Double, double toil and trouble.')
    const to = this.#options.room
    singer.send(xml('message', { xmlns: client, to, id, type: 'groupchat' }, body), id)
  }

  #publish(publisher: ManagedClient): void {
    if (!publisher.mayTalk || !this.#inside.has(publisher.jid)) return
    const { node, service: to } = this.#options
    const id = `item ${this.#number}`
    this.items.said(id)
    const item = xml('item', { id }, xml('entry', { xmlns: 'urn:example:entry' }))
    const publish = xml('pubsub', { xmlns: pubsub }, xml('publish', { node }, item))
    publisher.send(xml('iq', { xmlns: client, to, id, type: 'set' }, publish), id)
  }

  /** A room and a node that stay, whoever goes. */
  #own(owner: ManagedClient): void {
    const { room, service, node } = this.#options
    const value = (name: string, text: string) =>
      xml('field', { var: name }, xml('value', {}, text))
    const form = (type: string, ...fields: ReturnType<typeof xml>[]) =>
      xml('x', { xmlns: 'jabber:x:data', type: 'submit' }, value('FORM_TYPE', type), ...fields)
    const lasting = form(
      'http://jabber.org/protocol/muc#roomconfig',
      value('muc#roomconfig_persistentroom', '1'),
    )
    const query = xml('query', { xmlns: 'http://jabber.org/protocol/muc#owner' }, lasting)
    owner.send(xml('iq', { xmlns: client, type: 'set', id: 'room', to: room }, query))
    const open = form(`${pubsub}#node_config`, value('pubsub#access_model', 'open'))
    const create = xml(
      'pubsub',
      { xmlns: pubsub },
      xml('create', { node }),
      xml('configure', {}, open),
    )
    owner.send(xml('iq', { xmlns: client, type: 'set', id: 'node', to: service }, create))
  }

  #singer(jid: string, index: number): ManagedClient {
    const { password, ports } = this.#options
    let attempt = index
    const port = (): number => {
      const open = ports()
      attempt += 1
      return open[attempt % open.length] ?? 1
    }
    const singer: ManagedClient = new ManagedClient({
      ...{ jid, password, port, patience: 5_000 },
      events: {
        accepted: (id) => this.#rollOf(id).accepted(id),
        unknown: (id) => this.#rollOf(id).refused(id),
        received: (stanza) => this.#received(jid, stanza),
        resumed: () => {},
        rebound: () => {
          this.#inside.delete(jid)
          for (const roll of [this.lines, this.items]) roll.end(jid)
        },
        bound: () => this.#join(singer, index),
        ended: () => {},
        violated: (what) => this.violations.push(what),
      },
    })
    return singer
  }

  #join(singer: ManagedClient, index: number): void {
    const { room, service, node } = this.#options
    const ask = xml(
      'x',
      { xmlns: 'http://jabber.org/protocol/muc' },
      xml('history', { maxstanzas: '0' }),
    )
    singer.send(xml('presence', { xmlns: client, to: `${room}/n${index}` }, ask))
    const subscribe = xml('subscribe', { node, jid: entityOf(singer.jid) })
    const request = xml('pubsub', { xmlns: pubsub }, subscribe)
    const id = `subscribe ${index}`
    if (index > 0) singer.send(xml('iq', { xmlns: client, type: 'set', id, to: service }, request))
  }

  #rollOf(id: string): Roll {
    return id.startsWith('item') ? this.items : this.lines
  }

  #received(jid: string, stanza: Stanza): void {
    const id = stanza.id ?? ''
    if (id === 'room' || id === 'node') this.#owned.add(id)
    if (stanza.type === 'error') this.#rollOf(id).refused(id)
    else if (stanza.name === 'message') this.#heard(jid, stanza)
    else if (stanza.name === 'iq' && id.startsWith('subscribe')) this.items.begin(jid)
  }

  #heard(jid: string, message: Stanza): void {
    const { room, service } = this.#options
    if (message.from === service) {
      const item = message.element.getChild('event')?.getChild('items')?.getChild('item')
      this.items.heard(jid, item?.attrs.id ?? '')
    } else if (message.from?.startsWith(room)) {
      if (!message.hasChild('subject', client)) return this.lines.heard(jid, message.id ?? '')
      this.#inside.add(jid)
      this.lines.begin(jid)
    }
  }
}
