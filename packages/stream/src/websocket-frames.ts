import { type StreamCondition, StreamError } from '@tactus/stanza'

/** RFC 6455 §5.2. */
const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
const fin = 0x80
const masked = 0x80
const longestControl = 125
/** Parts that a message may come in. Nobody needs many, and each costs us a look. */
const maxFragments = 128
const smallest = 1_024
const noBytes = Buffer.alloc(0)

/** RFC 6455 §7.4.1. */
export const closeCode = {
  normal: 1_000,
  protocol: 1_002,
  unsupported: 1_003,
  tooBig: 1_009,
} as const

/** The peer broke the rules of WebSocket: the stream ends, and the closing frame says why. */
export class FrameError extends StreamError {
  readonly code: number

  constructor(code: number, condition: StreamCondition, text: string) {
    super(condition, text)
    this.code = code
  }
}

/** What a frame, or the last of several, has brought. */
export interface Received {
  readonly kind: 'close' | 'message' | 'ping' | 'pong'
  /** Ours from now on. */
  readonly payload: Buffer
}

/**
 * Takes WebSocket frames of a client apart (RFC 6455 §5), without extensions.
 *
 * A message grows in one buffer, however it is cut into frames and frames into chunks, and never over
 * `limit`: what a frame announces is not believed, only refused (V14).
 */
export class FrameReader {
  /** Bytes of a message, and so of a frame. */
  limit: number
  #chunk: Buffer = noBytes
  #at = 0
  /** The header of the current frame is read, and so much of its payload is to come. */
  #missing: number | undefined
  #head = 0
  #mask = 0
  /** The next byte of the payload goes with this one of the mask. */
  #maskAt = 0
  readonly #message = new Gathered()
  readonly #control = new Gathered()
  #fragments = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** Bytes that were not looked at. */
  get buffered(): number {
    return this.#chunk.length - this.#at
  }

  /** Whether a frame or a message of several is incomplete. */
  get midMessage(): boolean {
    return this.#fragments > 0 || this.#missing !== undefined
  }

  /** Takes a chunk, whose memory is the reader's from now on. */
  feed(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.#chunk =
      this.buffered === 0 ? bytes : Buffer.concat([this.#chunk.subarray(this.#at), bytes])
    this.#at = 0
  }

  /** What is complete next. @throws {FrameError} */
  next(): Received | undefined {
    while (this.#missing !== undefined || this.#readHead()) {
      const whole = this.#readPayload()
      if (!whole) return undefined
      const received = this.#complete(whole)
      if (received) return received
    }
    return undefined
  }

  #readHead(): boolean {
    const { buffered } = this
    if (buffered < 2) return false
    const chunk = this.#chunk
    const at = this.#at
    const head = chunk[at] as number
    const second = chunk[at + 1] as number
    const short = second & 0x7f
    // What is wrong is told from the first two bytes: nothing is waited for that is refused anyway.
    this.#check(head, second, short)
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0
    if (buffered < 2 + lengthBytes + 4) return false
    const length = lengthOf(chunk, at + 2, short)
    const maskAt = at + 2 + lengthBytes
    this.#mask = chunk.readUInt32BE(maskAt)
    this.#maskAt = 0
    this.#at = maskAt + 4
    this.#head = head
    this.#missing = length
    if (!isControl(head)) this.#begin(length)
    return true
  }

  #check(head: number, second: number, length: number): void {
    if ((head & 0x70) !== 0) violated('a reserved bit')
    if ((second & masked) === 0) violated('a frame without mask')
    const code = head & 0x0f
    if (isControl(head)) {
      if (code > opcode.pong) violated('an unknown opcode')
      if ((head & fin) === 0 || length > longestControl) violated('a control frame too long')
      return
    }
    if (code === opcode.binary)
      throw new FrameError(closeCode.unsupported, 'unsupported-encoding', 'Text only.')
    if (code > opcode.binary) violated('an unknown opcode')
    if ((code === opcode.continuation) !== this.#fragments > 0) violated('a frame out of turn')
  }

  /** A frame of a message begins. */
  #begin(length: number): void {
    this.#fragments += 1
    if (this.#fragments > maxFragments || this.#message.length + length > this.limit)
      throw new FrameError(closeCode.tooBig, 'policy-violation', 'More bytes than allowed.')
  }

  /** The payload once it is whole; what is there of it is unmasked and put away. */
  #readPayload(): Buffer | undefined {
    const missing = this.#missing as number
    const end = this.#at + Math.min(missing, this.buffered)
    const bytes = this.#chunk.subarray(this.#at, end)
    this.#unmask(bytes)
    this.#at = end
    this.#missing = missing - bytes.length
    const into = isControl(this.#head) ? this.#control : this.#message
    const isLast = this.#missing === 0 && (this.#head & fin) !== 0
    // Most messages are one frame in one chunk: those stay where they are.
    if (isLast && into.length === 0) {
      this.#release()
      return bytes
    }
    if (bytes.length > 0) into.add(bytes, this.limit)
    this.#release()
    if (this.#missing > 0) return undefined
    return isLast ? into.take() : noBytes
  }

  #unmask(bytes: Buffer): void {
    const mask = this.#mask
    let at = this.#maskAt
    for (let index = 0; index < bytes.length; index += 1) {
      bytes[index] = (bytes[index] as number) ^ (mask >>> (24 - at * 8))
      at = (at + 1) & 3
    }
    this.#maskAt = at
  }

  /** A frame is whole: a message only if it was its last. */
  #complete(payload: Buffer): Received | undefined {
    const head = this.#head
    this.#missing = undefined
    if (!isControl(head)) {
      if ((head & fin) === 0) return undefined
      this.#fragments = 0
      return { kind: 'message', payload }
    }
    const code = head & 0x0f
    if (code === opcode.ping) return { kind: 'ping', payload }
    if (code === opcode.pong) return { kind: 'pong', payload }
    if (payload.length === 1) violated('half a closing code')
    return { kind: 'close', payload }
  }

  /** Keeps no chunk of which everything was read. */
  #release(): void {
    if (this.buffered > 0) return
    this.#chunk = noBytes
    this.#at = 0
  }
}

/** A payload that comes in parts. */
class Gathered {
  length = 0
  #buffer: Buffer = noBytes

  add(bytes: Buffer, limit: number): void {
    const size = this.length + bytes.length
    if (size > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(size, Math.min(size * 2, limit), smallest))
      this.#buffer.copy(larger, 0, 0, this.length)
      this.#buffer = larger
    }
    bytes.copy(this.#buffer, this.length)
    this.length = size
  }

  take(): Buffer {
    const whole = this.#buffer.subarray(0, this.length)
    this.#buffer = noBytes
    this.length = 0
    return whole
  }
}

function isControl(head: number): boolean {
  return (head & 0x08) !== 0
}

function lengthOf(chunk: Buffer, at: number, short: number): number {
  if (short < 126) return short
  if (short === 126) return chunk.readUInt16BE(at)
  // More than a number holds is more than any limit.
  return chunk.readUInt32BE(at) * 2 ** 32 + chunk.readUInt32BE(at + 4)
}

function violated(what: string): never {
  throw new FrameError(closeCode.protocol, 'bad-format', `WebSocket does not allow ${what} here.`)
}

/** A frame as servers send them: whole, and not masked. */
function frame(code: number, payload: Uint8Array): Buffer {
  const { length } = payload
  const headLength = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const bytes = Buffer.allocUnsafe(headLength + length)
  bytes[0] = fin | code
  if (headLength === 2) bytes[1] = length
  else if (headLength === 4) {
    bytes[1] = 126
    bytes.writeUInt16BE(length, 2)
  } else {
    bytes[1] = 127
    bytes.writeUInt32BE(Math.floor(length / 2 ** 32), 2)
    bytes.writeUInt32BE(length >>> 0, 6)
  }
  bytes.set(payload, headLength)
  return bytes
}

export function textFrame(payload: Uint8Array): Buffer {
  return frame(opcode.text, payload)
}

export function pongFrame(payload: Uint8Array): Buffer {
  return frame(opcode.pong, payload)
}

/** A ping with nothing in it: any pong, as any byte, tells that the peer is there. */
export const pingFrame: Buffer = frame(opcode.ping, noBytes)

export function closeFrame(code: number): Buffer {
  return frame(opcode.close, Buffer.from([code >> 8, code & 0xff]))
}
