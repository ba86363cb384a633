import { Packr, Unpackr } from 'msgpackr'
import type { InputFrame, OutputFrame } from './frames.ts'
import { schemas } from './schemas.ts'
import { Malformed, type Shape } from './shape.ts'

type Frame = InputFrame | OutputFrame

/** First byte of an entry. A reader refuses any other: it would be guessing. */
const entryVersion = Uint8Array.of(1)

const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: true })
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' })

/** Why bytes from the bus cannot be read: a release that is unknown here, or damage. */
export type FaultReason = 'version' | 'kind' | 'malformed'

/** A frame or an entry that cannot be read. `bytes` is what was there, so that nothing vanishes unseen. */
export class UnreadableFrame extends Error {
  readonly reason: FaultReason
  readonly bytes: Uint8Array

  constructor(reason: FaultReason, message: string, bytes: Uint8Array, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
    this.bytes = bytes
  }
}

/** Packs plain data as everything on the bus is packed: msgpack, no extensions. */
export function packPlain(value: unknown): Buffer {
  return packr.pack(value)
}

/** Reads what `packPlain` wrote; the caller checks its shape. @throws {Malformed} */
export function unpackPlain(bytes: Uint8Array): unknown {
  try {
    return unpackr.unpack(bytes)
  } catch (cause) {
    throw new Malformed('not msgpack', { cause })
  }
}

/** Encodes one frame; entries are made of these by `joinEntry`. */
export function encodeFrame(frame: Frame): Buffer {
  const schema = schemas[frame.kind] as Shape<unknown>
  return packr.pack([frame.kind, schema.pack(frame)])
}

/** Makes an entry of encoded frames, in order. */
export function joinEntry(frames: readonly Uint8Array[]): Buffer {
  return Buffer.concat([entryVersion, ...frames])
}

/** Puts frames into the bytes of one stream entry, its version first. */
export function encodeEntry(frames: readonly Frame[]): Buffer {
  return joinEntry(frames.map(encodeFrame))
}

/**
 * Decodes an entry.
 *
 * What cannot be read is handed to `onFault` and left out, so that one frame of a newer release does not stop a
 * partition; the frames around it are still read.
 */
export function decodeEntry(bytes: Uint8Array, onFault: (fault: UnreadableFrame) => void): Frame[] {
  if (bytes[0] !== entryVersion[0]) {
    onFault(new UnreadableFrame('version', `entries of version ${bytes[0]} are unknown`, bytes))
    return []
  }
  const frames: Frame[] = []
  const body = bytes.subarray(1)
  let position = 0
  try {
    if (body.length === 0) throw new Malformed('an entry without frames')
    unpackr.unpackMultiple(body, (value, start, end) => {
      position = end ?? position
      try {
        frames.push(decodeFrame(value, body.subarray(start, end)))
      } catch (fault) {
        onFault(asFault(fault, body.subarray(start, end)))
      }
    })
  } catch (cause) {
    onFault(asFault(cause, body.subarray(position)))
  }
  return frames
}

function decodeFrame(value: unknown, bytes: Uint8Array): Frame {
  if (!Array.isArray(value) || value.length !== 2) throw new Malformed('expected [kind, fields]')
  const kind: unknown = value[0]
  if (typeof kind !== 'string' || !Object.hasOwn(schemas, kind))
    throw new UnreadableFrame('kind', `frames of kind ${String(kind)} are unknown`, bytes)
  const schema = schemas[kind as Frame['kind']] as Shape<object>
  return { kind, ...schema.unpack(value[1]) } as Frame
}

function asFault(error: unknown, bytes: Uint8Array): UnreadableFrame {
  if (error instanceof UnreadableFrame) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new UnreadableFrame('malformed', `not a frame: ${reason}`, bytes, { cause: error })
}
