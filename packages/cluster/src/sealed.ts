import type { Operation, StreamName } from '@tactus/bus'
import type { RowWrite } from '@tactus/storage'
import type { EntityState, PartitionState, WorkItem } from './state.ts'
import type { Step } from './step.ts'

/** A job that starts when its step is committed. */
export interface NotedJob {
  readonly entity: EntityState
  readonly id: string
  readonly spec: unknown
}

/** An entry of a partition's index of what hangs on which instance. */
export interface Attachment {
  readonly entity: EntityState
  readonly instance: string
  readonly id: string
  readonly attached: boolean
}

/** A step that is ready to be committed: nothing of it changes any more, however often it is sent. */
export interface Sealed {
  readonly step: Step
  readonly number: number
  readonly operations: readonly Operation[]
  /** Destination of each `append`, in the order of the bus' answer. */
  readonly appends: readonly StreamName[]
  /** Streams for whose sake its record is kept. */
  readonly needed: ReadonlySet<StreamName>
  /** It has rows, or something for another server that has no row anywhere: it goes to the store. */
  readonly durable: boolean
  readonly writes: readonly RowWrite[]
  readonly jobs: readonly NotedJob[]
  readonly attachments: readonly Attachment[]
  readonly consumed: readonly WorkItem[]
  readonly empty: readonly { readonly partition: PartitionState; readonly position: string }[]
}
