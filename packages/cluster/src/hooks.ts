/** What one committed step was. */
export interface StepInfo {
  readonly inputs: number
  readonly operations: number
  readonly rows: boolean
  /** Bytes of stanzas that left or were queued. */
  readonly bytes: number
  /** Milliseconds that handlers ran, and from sealing to applied. */
  readonly run: number
  readonly commit: number
}

/** What the engine tells of itself, for logs and metrics; every hook must return at once. */
export interface EngineHooks {
  step?(info: StepInfo): void
  /** Something that an operator should know; `event` is snake_case, past tense. */
  problem?(event: string, error: unknown, details?: Readonly<Record<string, unknown>>): void
  /** Partitions came (positive) or went. */
  owned?(partitions: readonly number[], change: 'acquired' | 'handed_over' | 'taken_over'): void
}

/** Guards that a test may take away to prove that they are needed. Never set in production. */
export type Safeguard = 'record' | 'retention' | 'barrier' | 'deferred-read'
