import { NS_CLIENT, StreamError } from '@tactus/stanza'
import {
  NS_FRAMING,
  type ReaderLimits,
  type StreamEvent,
  StreamReader,
  XmlError,
} from '@tactus/xml'
import { attribute } from './attribute.ts'
import type { Framing, StreamInput } from './framing.ts'
import { standalone } from './standalone.ts'
import {
  closeCode,
  closeFrame,
  FrameError,
  FrameReader,
  pingFrame,
  pongFrame,
  textFrame,
} from './websocket-frames.ts'

/**
 * RFC 7395: every first-level element is a message of its own and stands alone; `<open/>` and
 * `<close/>` are what the root's tags are over TCP.
 */
export function websocketFraming(contentNs: string = NS_CLIENT): Framing {
  return {
    name: 'websocket',
    // §3.8: white space is no message, but WebSocket has pings of its own.
    isAnswered: true,
    keepAlive: pingFrame,
    input: (limits, answer) => new WebSocketInput(limits, answer),
    open: ({ from, to, id }) =>
      `<open xmlns='${NS_FRAMING}'${attribute('id', id)}${attribute('from', from)}${attribute('to', to)} version='1.0' xml:lang='en'/>`,
    element: (element) => standalone(element, contentNs),
    stanza: (stanza) => stanza.wire(),
    close: ({ seeOtherUri } = {}) =>
      `<close xmlns='${NS_FRAMING}'${attribute('see-other-uri', seeOtherUri)}/>`,
    message: textFrame,
    end: (cause) => closeFrame(cause instanceof FrameError ? cause.code : closeCode.normal),
  }
}

/** The frames of a client, as events of its stream. */
class WebSocketInput implements StreamInput {
  isOver = false
  readonly #frames: FrameReader
  readonly #reader: StreamReader
  readonly #answer: (bytes: Uint8Array) => void
  #limits: ReaderLimits
  /** Bytes that were fed since the beginning. */
  #taken = 0
  /** A stream, the first or the next, has not been opened. */
  #expectsOpen = true

  constructor(limits: ReaderLimits, answer: (bytes: Uint8Array) => void) {
    this.#limits = limits
    this.#frames = new FrameReader(limits.bytes)
    this.#reader = new StreamReader({ limits, framing: 'websocket' })
    this.#answer = answer
  }

  get buffered(): number {
    return this.#frames.buffered
  }

  get midItem(): boolean {
    return this.#frames.midMessage
  }

  feed(chunk: Uint8Array): void {
    this.#taken += chunk.length
    this.#frames.feed(chunk)
  }

  next(): StreamEvent | undefined {
    while (!this.isOver) {
      const received = this.#frames.next()
      this.#count()
      if (!received) return undefined
      if (received.kind === 'message') {
        this.#reader.feed(received.payload)
        const event = this.#reader.next()
        if (event) return this.#inTurn(event)
      } else if (received.kind === 'ping') this.#answer(pongFrame(received.payload))
      else if (received.kind === 'close') this.isOver = true
    }
    return undefined
  }

  setLimits(limits: ReaderLimits): void {
    this.#limits = limits
    this.#frames.limit = limits.bytes
    this.#reader.setLimits(limits)
  }

  /** §3.7: nothing is said in clear before, so what was sent ahead is always kept. */
  reset(): void {
    this.#reader.reset({ keepBuffered: true })
    this.#expectsOpen = true
  }

  /** Frames that bring no message count as well. */
  #count(): void {
    const { totalBytes = Number.POSITIVE_INFINITY } = this.#limits
    if (this.#taken - this.#frames.buffered > totalBytes)
      throw new XmlError('policy-violation', 'more bytes in all than allowed')
  }

  /** §3.4: `<open/>` is the first word of a stream, and is said once. */
  #inTurn(event: StreamEvent): StreamEvent {
    const isOpen = event.kind === 'open'
    if (isOpen !== this.#expectsOpen && event.kind !== 'close')
      throw isOpen
        ? new StreamError('policy-violation', 'The stream is open already.')
        : new StreamError('invalid-namespace', 'A stream begins with <open/>.')
    this.#expectsOpen = false
    return event
  }
}
