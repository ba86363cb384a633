import type { QueueEntry } from '../bus.ts'
import { Malformed } from './shape.ts'

/*
 * A queue entry as one string, so that a queue is a plain list: number (double), length of the payload's name (16 bits),
 * length of `meta` (32 bits), then the name, `meta`, and the payload itself where it has no name.
 */
const headBytes = 14

/** Lays down one queue entry; the script reads its number and its payload's name. */
export function encodeQueueEntry({ n, meta, payload }: QueueEntry): Buffer {
  const ref = 'ref' in payload ? Buffer.from(payload.ref) : undefined
  const bytes = 'bytes' in payload ? payload.bytes : undefined
  const named = ref?.length ?? 0
  const entry = Buffer.allocUnsafe(headBytes + named + meta.length + (bytes?.length ?? 0))
  entry.writeDoubleBE(n, 0)
  entry.writeUInt16BE(named, 8)
  entry.writeUInt32BE(meta.length, 10)
  if (ref) entry.set(ref, headBytes)
  entry.set(meta, headBytes + named)
  if (bytes) entry.set(bytes, headBytes + named + meta.length)
  return entry
}

/** Reads one queue entry back. @throws {Malformed} */
export function decodeQueueEntry(bytes: Uint8Array): QueueEntry {
  const entry = Buffer.from(bytes)
  if (entry.length < headBytes) throw new Malformed('a queue entry is too short')
  const metaStart = headBytes + entry.readUInt16BE(8)
  const metaEnd = metaStart + entry.readUInt32BE(10)
  if (metaEnd > entry.length) throw new Malformed('a queue entry is cut off')
  const ref = entry.toString('utf8', headBytes, metaStart)
  return {
    n: entry.readDoubleBE(0),
    meta: entry.subarray(metaStart, metaEnd),
    payload: ref === '' ? { bytes: entry.subarray(metaEnd) } : { ref },
  }
}
