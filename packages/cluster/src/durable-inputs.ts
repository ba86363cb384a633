import type { InputFrame, Remote, StepRecord } from '@tactus/bus'
import type { Input } from './machine.ts'
import { entityOf, partitionOf, partitionOfStream } from './partition.ts'

/** What a record of the outbox holds for one partition, to be run again after a loss of the bus. */
export interface RecordedInput {
  readonly partition: number
  /** Its place in the record. */
  readonly index: number
  readonly input: InputFrame | Extract<Input, { readonly kind: 'remote.again' }>
  /** When its stanza was accepted: wall clock, ms. */
  readonly at: number | undefined
}

/**
 * What a record holds that may not be lost with the bus (design §3.6), in the order in which it was written.
 *
 * What waited for another server is sent again by the entity that sent it, so that it keeps its place before what this
 * sends next.
 */
export function durableInputs({ operations }: StepRecord, count: number): RecordedInput[] {
  return operations
    .flatMap((operation) => {
      if (operation.op !== 'append') return []
      const partition = partitionOfStream(operation.stream)
      return (operation.frames as readonly (InputFrame | Remote)[])
        .filter(isDurable)
        .flatMap((frame) => inputOf(frame, partition, count) ?? [])
    })
    .map((input, index) => ({ ...input, index }))
}

/** Undefined for what is on its way to an instance. */
function inputOf(
  frame: InputFrame | Remote,
  partition: number | undefined,
  count: number,
): Omit<RecordedInput, 'index'> | undefined {
  if (frame.kind === 'remote') return sentAgain(frame, count)
  if (partition === undefined) return undefined
  return { partition, input: frame, at: 'at' in frame ? frame.at : undefined }
}

function sentAgain(frame: Remote, count: number): Omit<RecordedInput, 'index'> {
  const entity = entityOf(frame.stanza.from ?? frame.from)
  const input = { kind: 'remote.again', entity, frame } as const
  return { partition: partitionOf(entity, count), input, at: frame.at }
}

function isDurable(frame: InputFrame | Remote): boolean {
  return 'durable' in frame ? frame.durable : frame.kind === 'command'
}
