import type { InputFrame, OutputFrame, StreamName } from '@tactus/bus'
import type { DurableStore, Row } from '@tactus/storage'
import type { Stanza } from '@tactus/xml'
import type { LiveStore, QueueMeta } from './machine.ts'
import type { EntityState, QueueItem, WorkItem } from './state.ts'

/** Everything that an input may add to its step, in the order in which it happened. */
export type Effect =
  | {
      readonly effect: 'live'
      readonly entity: EntityState
      readonly store: LiveStore<unknown>
      readonly key: string
    }
  | {
      readonly effect: 'set'
      readonly entity: EntityState
      readonly store: DurableStore<unknown>
      readonly key: string
      readonly before: unknown
      readonly after: unknown
    }
  | {
      readonly effect: 'insert' | 'upsert' | 'remove' | 'clear'
      readonly entity: EntityState
      readonly store: DurableStore<unknown>
      readonly table: string
      readonly key: readonly string[]
      readonly row: Row
    }
  | {
      readonly effect: 'emit'
      readonly stream: StreamName
      readonly frame: InputFrame | OutputFrame
    }
  /** Inputs for own entities: those that do not run in this step any more go to the stream, at this place. */
  | {
      readonly effect: 'inline'
      readonly frame: InputFrame
      readonly stream: StreamName
      readonly items: readonly WorkItem[]
    }
  | {
      readonly effect: 'enqueue'
      readonly session: string
      readonly n: number
      readonly stanza: Stanza
      readonly meta: QueueMeta
      readonly item: QueueItem
    }
  | { readonly effect: 'trim'; readonly session: string; readonly n: number | undefined }
  | { readonly effect: 'timer'; readonly entity: EntityState; readonly name: string }
  /** A job is noted, or with `spec` undefined its note is taken back. */
  | {
      readonly effect: 'job'
      readonly entity: EntityState
      readonly id: string
      readonly spec: { readonly value: unknown } | undefined
    }
  | {
      readonly effect: 'attach' | 'detach'
      readonly entity: EntityState
      readonly instance: string
      readonly id: string
    }
  | {
      readonly effect: 'committed'
      readonly instance: string
      readonly session: string
      readonly seq: number
      readonly h: number
    }
