import { setTimeout as pause } from 'node:timers/promises'
import type { Job, Measured } from './job.ts'
import type { LoadSession } from './log-in.ts'
import { Marks } from './marks.ts'
import { logInAll } from './sessions.ts'
import { Window } from './window.ts'

/** How long what is still under way may take after the window. */
const drainSeconds = 10

/** One closed loop: the next stanza leaves when the one before has arrived. */
interface Loop {
  readonly sender: LoadSession
  readonly before: string
  readonly after: string
  number: number
  sentAt: number
  isUnderWay: boolean
}

/** Closed loops, and what went wrong in them. */
class Loops {
  readonly #window: Window
  readonly #faults = { duplicated: 0, outOfOrder: 0 }
  #isStopping = false
  #underWay = 0
  #drained: () => void = () => {}

  constructor(window: Window) {
    this.#window = window
  }

  /** Sends by `sender` what arrives at `receiver`. */
  start(loop: Loop, receiver: LoadSession): void {
    const marks = new Marks()
    receiver.connection.onEnd = (reason) => {
      if (!this.#isStopping) throw reason
    }
    receiver.connection.follow((text) => {
      for (const number of marks.find(text)) this.#arrived(loop, number)
    })
    this.#send(loop)
  }

  /** Sends nothing more; resolves when what is under way has arrived, or will not any more. */
  async stop(): Promise<Pick<Measured, 'lost' | 'duplicated' | 'outOfOrder'>> {
    this.#isStopping = true
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve
    })
    if (this.#underWay > 0) await Promise.race([drained, pause(drainSeconds * 1e3)])
    return { lost: this.#underWay, ...this.#faults }
  }

  #send(loop: Loop): void {
    loop.number++
    loop.isUnderWay = true
    loop.sentAt = performance.now()
    this.#underWay++
    loop.sender.connection.write(`${loop.before}~${loop.number}~${loop.after}`)
  }

  #arrived(loop: Loop, number: number): void {
    if (number < loop.number || !loop.isUnderWay) this.#faults.duplicated++
    else if (number > loop.number) this.#faults.outOfOrder++
    else {
      loop.isUnderWay = false
      this.#underWay--
      this.#window.count(performance.now() - loop.sentAt)
      if (!this.#isStopping) this.#send(loop)
      else if (this.#underWay === 0) this.#drained()
    }
  }
}

const loop = (sender: LoadSession, before: string, after: string): Loop => {
  return { sender, before, after, number: 0, sentAt: 0, isUnderWay: false }
}

/** About 350 bytes, as clients send them: a body, a chat state, a request for a receipt, an origin-id. */
function chatLoop(sender: LoadSession, receiver: LoadSession): Loop {
  const body =
    'But, soft! what light through yonder window breaks? It is the east, and Juliet is the sun.'
  const extras =
    "<active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='4f6a2c1e'/>"
  return loop(
    sender,
    `<message to='${receiver.jid}' type='chat' id='4f6a2c1e'><body>`,
    ` ${body}</body>${extras}</message>`,
  )
}

/** XEP-0199 to the server; its answer carries the number back in the id. */
const pingLoop = (session: LoadSession, domain: string): Loop =>
  loop(session, `<iq type='get' to='${domain}' id='`, `'><ping xmlns='urn:xmpp:ping'/></iq>`)

/** Messages between two sessions at a time, both ways; or pings of each session. */
export async function runLoops(job: Job): Promise<Measured> {
  const sessions = await logInAll(job)
  const window = new Window(job)
  const loops = new Loops(window)
  for (const [index, session] of sessions.entries()) {
    if (job.kind === 'ping') loops.start(pingLoop(session, job.domain), session)
    else {
      const peer = sessions[index ^ 1]
      if (peer) loops.start(chatLoop(peer, session), session)
    }
  }
  await window.pass()
  const faults = await loops.stop()
  // A BOSH session that is left lives on, and what it had not read goes to the next session of its account: the marks in it
  // would be taken for the next measurement's.
  await Promise.all(sessions.map(({ connection }) => connection.close()))
  return window.result({ sessions: sessions.length, ...faults })
}
