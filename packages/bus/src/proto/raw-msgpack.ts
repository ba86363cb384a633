import { Malformed } from './shape.ts'

/*
 * The part of msgpack that the library within Redis reads: lists, numbers and strings, where bytes are strings too (it
 * knows no `bin`). Read back as bytes, because as text they would not survive.
 */

/** What a record is made of. */
export type Raw = number | string | Uint8Array | readonly Raw[]
/** The same read back: all strings are bytes. */
export type RawRead = number | Buffer | readonly RawRead[]

/** Lists within lists within a record; more is damage. */
const depthMost = 8

/** Lays a value down as msgpack. */
export function packRaw(value: Raw): Buffer {
  const bytes = Buffer.allocUnsafe(room(value))
  return bytes.subarray(0, write(value, bytes, 0))
}

/** Bytes that a value takes at most. */
function room(value: Raw): number {
  if (typeof value === 'number') return 9
  if (typeof value === 'string') return 5 + value.length * 3
  if (value instanceof Uint8Array) return 5 + value.length
  let sum = 5
  for (const member of value) sum += room(member)
  return sum
}

function write(value: Raw, bytes: Buffer, at: number): number {
  if (typeof value === 'number') return writeNumber(value, bytes, at)
  if (typeof value === 'string') {
    const length = Buffer.byteLength(value)
    const start = writeHead(0xd9, length, bytes, at)
    return start + bytes.write(value, start)
  }
  if (value instanceof Uint8Array) {
    const start = writeHead(0xd9, value.length, bytes, at)
    bytes.set(value, start)
    return start + value.length
  }
  let end = writeListHead(value.length, bytes, at)
  for (const member of value) end = write(member, bytes, end)
  return end
}

function writeNumber(value: number, bytes: Buffer, at: number): number {
  if (Number.isInteger(value) && value >= 0 && value < 128) return bytes.writeUInt8(value, at)
  return bytes.writeDoubleBE(value, bytes.writeUInt8(0xcb, at))
}

/** Length of a string: `tag` for one byte of it, the next two tags for two and four. */
function writeHead(tag: number, length: number, bytes: Buffer, at: number): number {
  if (length < 32) return bytes.writeUInt8(0xa0 + length, at)
  if (length < 0x100) return bytes.writeUInt8(length, bytes.writeUInt8(tag, at))
  if (length < 0x10000) return bytes.writeUInt16BE(length, bytes.writeUInt8(tag + 1, at))
  return bytes.writeUInt32BE(length, bytes.writeUInt8(tag + 2, at))
}

function writeListHead(length: number, bytes: Buffer, at: number): number {
  if (length < 16) return bytes.writeUInt8(0x90 + length, at)
  return bytes.writeUInt32BE(length, bytes.writeUInt8(0xdd, at))
}

/** Reads what `packRaw` laid down. @throws {Malformed} for anything else */
export function unpackRaw(bytes: Uint8Array): RawRead {
  const reader = new Reader(Buffer.from(bytes))
  const value = reader.value(0)
  if (!reader.ended) throw new Malformed('more than one value')
  return value
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length
  }

  value(depth: number): RawRead {
    const tag = this.#unsigned(1)
    if (tag < 0x80) return tag
    if (tag >= 0x90 && tag < 0xa0) return this.#list(tag - 0x90, depth)
    if (tag >= 0xa0 && tag < 0xc0) return this.#take(tag - 0xa0)
    if (tag === 0xcb) return this.#take(8).readDoubleBE(0)
    if (tag === 0xd9) return this.#take(this.#unsigned(1))
    if (tag === 0xda) return this.#take(this.#unsigned(2))
    if (tag === 0xdb) return this.#take(this.#unsigned(4))
    if (tag === 0xdd) return this.#list(this.#unsigned(4), depth)
    throw new Malformed(`byte ${tag} has no place in a record`)
  }

  #unsigned(length: number): number {
    return this.#take(length).readUIntBE(0, length)
  }

  #take(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new Malformed('cut off')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  #list(length: number, depth: number): readonly RawRead[] {
    if (depth >= depthMost) throw new Malformed('too deep')
    // Every member takes a byte: a length that the rest cannot hold is damage, found before memory is spent on it.
    if (length > this.#bytes.length - this.#at) throw new Malformed('cut off')
    const members: RawRead[] = []
    for (let index = 0; index < length; index += 1) members.push(this.value(depth + 1))
    return members
  }
}
