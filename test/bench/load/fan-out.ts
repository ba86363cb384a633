import { setTimeout as pause } from 'node:timers/promises'
import type { Job, Measured } from './job.ts'
import type { LoadSession } from './log-in.ts'
import { Marks } from './marks.ts'
import { inTurns, logInAll } from './sessions.ts'
import { Window } from './window.ts'

/** Stanzas that are under way at once, each said again when all have heard it. */
const speakers = 4
/** How long what is still under way may take after the window. */
const drainSeconds = 20

/** What many hear: how they come to, and what is said. */
interface Audience {
  /** By the first, before the others come. */
  open(owner: LoadSession): Promise<void>
  join(session: LoadSession, index: number): Promise<void>
  /** Whether all may say something, or the owner only. */
  readonly allMaySpeak: boolean
  /** The stanza before and behind its number. */
  readonly before: string
  readonly after: string
}

/** Stanzas with one sender and many receivers, and what went wrong with them. */
class FanOut {
  readonly #window: Window
  readonly #size: number
  readonly #say: (speaker: number, number: number) => void
  /** By speaker: the number that is under way, when it was said, and who has not heard it yet. */
  readonly #rounds = Array.from({ length: speakers }, () => ({ number: 0, at: 0, left: 0 }))
  #isStopping = false
  readonly faults = { lost: 0, duplicated: 0, outOfOrder: 0 }

  constructor(window: Window, size: number, say: (speaker: number, number: number) => void) {
    this.#window = window
    this.#size = size
    this.#say = say
  }

  start(): void {
    for (const speaker of this.#rounds.keys()) this.#next(speaker)
  }

  /** A receiver; answers what takes the text that it gets. */
  receiver(): (text: string) => void {
    const marks = new Marks()
    const last = Array.from({ length: speakers }, () => 0)
    return (text) => {
      for (const mark of marks.find(text)) this.#heard(last, mark)
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    for (let waited = 0; waited < drainSeconds * 10 && this.#left > 0; waited += 1) await pause(100)
    this.faults.lost = this.#left
  }

  get #left(): number {
    return this.#rounds.reduce((sum, { left }) => sum + left, 0)
  }

  #next(speaker: number): void {
    const round = this.#rounds[speaker]
    if (!round) return
    round.number += 1
    round.at = performance.now()
    round.left = this.#size
    this.#say(speaker, round.number * speakers + speaker)
  }

  #heard(last: number[], mark: number): void {
    const speaker = mark % speakers
    const number = Math.floor(mark / speakers)
    const round = this.#rounds[speaker]
    const before = last[speaker] ?? 0
    if (number <= before) this.faults.duplicated += 1
    else if (number !== before + 1) this.faults.outOfOrder += 1
    last[speaker] = Math.max(before, number)
    if (!round || number !== round.number || number <= before) return
    round.left -= 1
    this.#window.count(performance.now() - round.at)
    if (round.left === 0 && !this.#isStopping) this.#next(speaker)
  }
}

const field = (name: string, value: string): string =>
  `<field var='${name}'><value>${value}</value></field>`
const form = (type: string, ...fields: readonly string[]): string =>
  `<x xmlns='jabber:x:data' type='submit'>${field('FORM_TYPE', type)}${fields.join('')}</x>`

const body =
  'But, soft! what light through yonder window breaks? It is the east, and Juliet is the sun.'

/** A room that tells nobody who comes, so that a thousand can. */
function room(domain: string): Audience {
  const jid = `crowd${process.pid}@conference.${domain}`
  const join = async ({ connection }: LoadSession, index: number): Promise<void> => {
    connection.write(
      `<presence to='${jid}/nick${index}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>`,
    )
    await connection.until('<subject')
  }
  return {
    join,
    async open(owner) {
      await join(owner, 0)
      const quiet = form(
        'http://jabber.org/protocol/muc#roomconfig',
        field('muc#roomconfig_presencebroadcast', 'moderator'),
        field('muc#roomconfig_maxusers', '2000'),
      )
      owner.connection.write(
        `<iq type='set' id='open' to='${jid}'><query xmlns='http://jabber.org/protocol/muc#owner'>${quiet}</query></iq>`,
      )
      await owner.connection.until("id='open'")
    },
    allMaySpeak: true,
    before: `<message to='${jid}' type='groupchat' id='4f6a2c1e'><body>`,
    after: ` ${body}</body><origin-id xmlns='urn:xmpp:sid:0' id='4f6a2c1e'/></message>`,
  }
}

/** An open node of the pubsub service. */
function node(domain: string): Audience {
  const service = `pubsub.${domain}`
  const name = `crowd${process.pid}`
  const xmlns = 'http://jabber.org/protocol/pubsub'
  const set = (id: string, payload: string): string =>
    `<iq type='set' id='${id}' to='${service}'><pubsub xmlns='${xmlns}'>${payload}</pubsub></iq>`
  return {
    async open({ connection }) {
      const open = form(`${xmlns}#node_config`, field('pubsub#access_model', 'open'))
      connection.write(set('open', `<create node='${name}'/><configure>${open}</configure>`))
      await connection.until("id='open'")
    },
    async join({ connection, jid }) {
      const [account] = jid.split('/')
      connection.write(set('join', `<subscribe node='${name}' jid='${account}'/>`))
      await connection.until("id='join'")
    },
    allMaySpeak: false,
    before: `<iq type='set' id='p' to='${service}'><pubsub xmlns='${xmlns}'><publish node='${name}'><item id='current'><entry xmlns='http://www.w3.org/2005/Atom'><title>`,
    after: ` ${body}</title></entry></item></publish></pubsub></iq>`,
  }
}

/** Lines to all in a room, or items of a node to all subscribers; an event is a delivery. */
export async function runFanOut(job: Job): Promise<Measured> {
  const sessions = await logInAll(job)
  const audience = job.kind === 'room' ? room(job.domain) : node(job.domain)
  const [owner] = sessions
  if (!owner) throw new Error('nobody is there')
  await audience.open(owner)
  const from = job.kind === 'room' ? 1 : 0
  await inTurns({ from, to: sessions.length, atOnce: job.concurrency }, async (index) => {
    const session = sessions[index]
    if (session) await audience.join(session, index)
  })
  const window = new Window(job)
  const fanOut = new FanOut(window, sessions.length, (speaker, number) =>
    sessions[audience.allMaySpeak ? speaker : 0]?.connection.write(
      `${audience.before}~${number}~${audience.after}`,
    ),
  )
  for (const { connection } of sessions) connection.follow(fanOut.receiver())
  fanOut.start()
  await window.pass()
  await fanOut.stop()
  for (const { connection } of sessions) connection.destroy()
  return window.result({ sessions: sessions.length, ...fanOut.faults })
}
