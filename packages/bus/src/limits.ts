/** When a publish is refused (design §3.9). Commits never are. */
export interface BusLimits {
  /** Entries that a stream may hold. An entry is a batch, so this is many more frames. */
  readonly streamEntries: number
  /** Bytes that a stream may hold. */
  readonly streamBytes: number
  /** Share of the bus' memory above which nothing is published, 0…1. */
  readonly pressure: number
  /** Bytes that all published frames may take in a `MemoryBus`, 0 for no limit; Redis has `maxmemory`. */
  readonly memory: number
}

/** Limits that a stream meets only when its reader stands still. */
export const defaultLimits: BusLimits = {
  streamEntries: 20_000,
  streamBytes: 64 * 1024 * 1024,
  pressure: 0.7,
  memory: 256 * 1024 * 1024,
}

/** Frames of one entry; what is published beyond them in the same tick begins the next one. */
export const entryFrames = 256
/** Bytes after which an entry takes no further call's frames. */
export const entryBytes: number = 128 * 1024
