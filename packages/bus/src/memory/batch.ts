import { entryBytes, entryFrames } from '../limits.ts'
import type { InputFrame, OutputFrame } from '../proto/frames.ts'

type Frame = InputFrame | OutputFrame

interface Growing {
  readonly frames: Frame[]
  bytes: number
}

/** What one handle publishes to one stream in one tick: one entry, or more where it is much. */
export class Batch {
  readonly #accepted = Promise.withResolvers<void>()
  readonly #entries: Growing[] = []
  #bytes = 0

  /** Shared by all calls of the tick: they stand or fall together. */
  get accepted(): Promise<void> {
    return this.#accepted.promise
  }

  get entries(): readonly Growing[] {
    return this.#entries
  }

  get length(): number {
    return this.#entries.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether the last entry takes more. */
  fits(): boolean {
    const last = this.#entries.at(-1)
    return last !== undefined && last.frames.length < entryFrames && last.bytes < entryBytes
  }

  add(frames: readonly Frame[], bytes: number): void {
    const last = this.#entries.at(-1)
    if (last && this.fits()) {
      last.frames.push(...frames)
      last.bytes += bytes
    } else {
      this.#entries.push({ frames: [...frames], bytes })
    }
    this.#bytes += bytes
  }

  accept(): void {
    this.#accepted.resolve()
  }

  refuse(error: unknown): void {
    this.#accepted.reject(error)
  }
}

/** What a frame takes in memory, roughly: its stanza and something for the rest. */
export function frameBytes(frame: Frame): number {
  const stanza = 'stanza' in frame ? frame.stanza.bytes.length : 0
  return stanza + ('recipients' in frame ? 256 + frame.recipients.length * 64 : 256)
}
