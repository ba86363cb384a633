import {
  type InputFrame,
  MemoryBroker,
  MemoryBus,
  type OutputFrame,
  type Position,
} from '@tactus/bus'
import {
  deliveryStream,
  Engine,
  type Machine,
  partitionOf,
  partitionStream,
  timersKey,
} from '@tactus/cluster'
import { realEnv } from '@tactus/env'
import { parseBareJid, parseFullJid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { accountStore, mailboxCount, openMemorySqlite } from '@tactus/storage'
import { Metrics } from '@tactus/telemetry'
import { Stanza, xml } from '@tactus/xml'
import { z } from 'zod'
import { createAccount, requireAccount } from '../../src/accounts/account-rules.ts'
import { type SessionQuery, writeCommand } from '../../src/commands.ts'
import { type CoreLimits, defaultLimits } from '../../src/core.ts'
import { hostDirectory } from '../../src/hosts.ts'
import { allLiveSessions } from '../../src/live-sessions.ts'
import { defineModule } from '../../src/module.ts'
import { ModuleHost } from '../../src/module-host.ts'

const partitions = 4
export const account = 'juliet@capulet.example'
const connectionManagers = ['cm-1', 'cm-2'] as const

type Kind = OutputFrame['kind']
type Output<K extends Kind> = Extract<OutputFrame, { kind: K }>

/** The least that makes resources reachable, and accounts. */
const actors = defineModule({
  name: 'actors',
  implements: [],
  commands: [
    writeCommand({
      name: 'account make',
      summary: 'Makes an account.',
      input: z.object({ jid: z.string() }),
      output: z.null(),
      entity: ({ jid }) => parseBareJid(jid),
      run(scope) {
        createAccount(scope, {})
        scope.set(accountStore, '', { ...requireAccount(scope), version: 1 })
        return null
      },
    }),
  ],
  setup({ hooks, iq, services }) {
    // Says what it hears to juliet's resources `a`, `b` and `c`, and to romeo's `r`; montague.example has none.
    services.add({
      name: 'echo',
      title: 'Echo',
      subdomain: (host) => (host.name === 'capulet.example' ? 'cliff.echo' : undefined),
      receive({ scope, to, stanza }) {
        if (stanza.type === 'error') return
        const resources = ['a', 'b', 'c'].map((name) => parseFullJid(`${account}/${name}`))
        const romeo = parseFullJid('romeo@montague.example/r')
        scope.multicast([...resources, romeo], stanza.with({ from: to, to: undefined }))
      },
      placeOf: (stanza) => stanza.child('x', 'urn:x')?.attrs.of,
    })
    iq.get('service:echo', 'urn:x', 'x', ({ scope, payload }) => {
      const attrs = { xmlns: 'urn:x', ...(payload.attrs.of && { entity: scope.entity }) }
      return xml('service', attrs)
    })
    iq.get('entity:echo', 'urn:x', 'x', () => xml('entity', { xmlns: 'urn:x' }))
    hooks.claim('presence.outbound', ({ scope, session, presence }) => {
      scope.setPresence(session, { stanza: presence, priority: 0, since: scope.now })
    })
    // The least that tells what may wait from what may not.
    hooks.claim('delivery.inactive', ({ stanza, wait }) => {
      const about = stanza.child('later', 'urn:x')?.attrs.about
      if (stanza.hasChild('later', 'urn:x')) wait({ about, limits: { stanzas: 3, bytes: 10_000 } })
    })
    hooks.decide('delivery.may-wait', ({ stanza }) => {
      if (stanza.hasChild('urgent', 'urn:x')) throw new StanzaError('not-acceptable')
    })
  },
})

/** An owner of all partitions on a bus in memory, spoken to in frames as connection managers do. */
export class Owner implements AsyncDisposable {
  readonly #env = realEnv()
  readonly #broker = new MemoryBroker()
  readonly #storage = openMemorySqlite(this.#env)
  readonly #resources = new AsyncDisposableStack()
  readonly #bus = new MemoryBus({ env: this.#env, broker: this.#broker, create: true })
  readonly #heard = new Map<string, Position>()
  readonly problems: string[] = []
  /** Whether the handlers of an input are to fail. */
  fails: (kind: string) => boolean = () => false

  static async open(limits: Partial<CoreLimits> = {}): Promise<Owner> {
    const owner = new Owner()
    await owner.#start({ ...defaultLimits, ...limits })
    return owner
  }

  async #start(limits: CoreLimits): Promise<void> {
    const quiet = { info() {}, warn() {}, error() {} }
    const host = new ModuleHost({
      modules: [actors],
      hosts: hostDirectory(
        ['capulet.example', 'montague.example'].map((name) => ({
          name,
          anonymous: false,
          registration: 'closed' as const,
          modules: {},
        })),
      ),
      settings: {},
      reader: this.#storage.reader,
      log: () => quiet,
      metrics: new Metrics(),
      limits,
      isAdmin: () => false,
      runCommand: () => Promise.reject(new Error('there is no bus for commands here')),
      server: { name: 'test', version: '0', startedAt: 0 },
    })
    this.#resources.use(this.#storage)
    this.#resources.use(this.#bus)
    await this.#storage.migrate(host.migrations)
    await this.#storage.ownership.settings({ cluster: 'test', partitions, secretFingerprint: '' })
    for (const id of connectionManagers)
      await this.#bus.beat({ id, role: 'connection-manager', protocol: 1, info: {} }, 600_000)
    const owned = Promise.withResolvers<void>()
    const engine = new Engine({
      env: this.#env,
      storage: this.#storage,
      machine: this.#faulty(host.machine),
      openBus: async (incarnation) => {
        return new MemoryBus({ env: this.#env, broker: this.#broker, incarnation, create: true })
      },
      partitions,
      hooks: {
        owned: () => owned.resolve(),
        problem: (event, error) => this.problems.push(`${event} ${error}`),
      },
    })
    await engine.start()
    this.#resources.defer(() => engine.stop())
    await owned.promise
    for (const jid of [account, 'romeo@montague.example'])
      await this.feed({
        kind: 'command',
        entity: jid,
        source: jid,
        name: 'account make',
        input: { jid },
        replyTo: 'control',
      })
  }

  #faulty(machine: Machine): Machine {
    return {
      stores: machine.stores,
      run: (turn) => {
        if (this.fails(turn.input.kind)) throw new Error('told to fail')
        machine.run(turn)
      },
      failed: (turn, error) => machine.failed(turn, error),
      runJob: (spec) => machine.runJob(spec),
    }
  }

  /** Publishes and waits until all that came of it is done. */
  async feed(...frames: readonly InputFrame[]): Promise<void> {
    for (const frame of frames) {
      const entity = 'entity' in frame ? frame.entity : account
      await this.#bus.publish(partitionStream(partitionOf(entity, partitions)), [frame])
    }
    await this.settle()
  }

  async settle(): Promise<void> {
    const numbers = Array.from({ length: partitions }, (_, partition) => partition)
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      const extents = await this.#bus.extent(numbers.map(partitionStream))
      const due = await this.#bus.due(numbers.map(timersKey), this.#env.clock.now(), 1)
      const waiting = [...extents.values()].some(({ length }) => length > 0)
      if (!waiting && [...due.values()].every(({ length }) => length === 0)) return
    }
  }

  /** Waits until no session waits to be resumed any more. */
  async expired(): Promise<void> {
    const keys = Array.from({ length: partitions }, (_, partition) => timersKey(partition))
    for (;;) {
      const due = await this.#bus.due(keys, Number.MAX_SAFE_INTEGER, 100)
      const members = [...due.values()].flat().map(([member]) => member)
      if (!members.some((member) => member.includes('\0hibernation '))) return await this.settle()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** What the owner sent to an instance since the last look. */
  async heard(instance = 'cm-1'): Promise<readonly OutputFrame[]> {
    const stream = deliveryStream(instance)
    const after = this.#heard.get(stream) ?? '0'
    const entries = await this.#bus.read(new Map([[stream, after]]), { count: 1_000, wait: 0 })
    const last = entries.at(-1)
    if (last) this.#heard.set(stream, last.position)
    return entries.flatMap(({ frames }) => frames as readonly OutputFrame[])
  }

  /** The same, of one kind. */
  async heardOf<K extends Kind>(kind: K, instance = 'cm-1'): Promise<readonly Output<K>[]> {
    return (await this.heard(instance)).filter((frame): frame is Output<K> => frame.kind === kind)
  }

  /** What `session list` shows. */
  async listed(query: Partial<SessionQuery> = {}): Promise<readonly string[]> {
    const all = { host: undefined, after: undefined, limit: 100, ...query }
    const found = await allLiveSessions(this.#bus, partitions, all)
    return found.map(({ jid, attached }) => `${jid}${attached ? '' : ' hibernates'}`)
  }

  /** How many messages wait for the account. */
  waiting(): Promise<number> {
    return mailboxCount(this.#storage.reader, account, 1_000)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }
}

/** What a connection manager says for one session of the account. */
export class Source {
  readonly session: string
  readonly entity: string
  seq = 1
  epoch = 1

  constructor(session: string, entity = account) {
    this.session = session
    this.entity = entity
  }

  get #from(): { entity: string; session: string; epoch: number; seq: number } {
    const { entity, session, epoch, seq } = this
    return { entity, session, epoch, seq }
  }

  open(resource: string | undefined, cm = 'cm-1', credentials = 1): InputFrame {
    const info = { address: '127.0.0.1' }
    const whom = { resource, credentials, anonymous: false, info }
    return { kind: 'session.open', ...this.#from, cm, ...whom }
  }

  stanza(text: string): InputFrame {
    this.seq += 1
    return {
      kind: 'session.stanza',
      ...this.#from,
      stanza: Stanza.parse(Buffer.from(text), 'jabber:client'),
    }
  }

  enable(resume = true): InputFrame {
    this.seq += 1
    return { kind: 'session.enable', ...this.#from, resume, max: undefined }
  }

  state(state: 'active' | 'inactive'): InputFrame {
    this.seq += 1
    return { kind: 'session.state', ...this.#from, state }
  }

  close(reason: 'closed' | 'dropped'): InputFrame {
    this.seq += 1
    return { kind: 'session.close', ...this.#from, reason }
  }

  ack(n: number): InputFrame {
    const { entity, session, epoch } = this
    return { kind: 'session.ack', entity, session, epoch, n }
  }

  ask(cm = 'cm-1'): InputFrame {
    const { entity, session, epoch } = this
    return { kind: 'session.ask', entity, session, epoch, cm }
  }

  resume(attempt: string, h: number, cm = 'cm-2'): InputFrame {
    const { entity, session } = this
    return { kind: 'session.resume', entity, session, attempt, cm, h, info: {} }
  }
}
