import type { Cell } from '../rows.ts'
import type { Batch } from './sqlite-database.ts'

type Plain = Exclude<Cell, Uint8Array>

interface PackedBatch {
  readonly sql: string
  readonly guard: boolean
  readonly runs: number
  /** Cells of all runs, one run after another; null where there are bytes. */
  readonly cells: readonly Plain[]
  /** Index and length of each cell of bytes, in turns. */
  readonly bytesAt: readonly number[]
}

/**
 * Batches as they cross to the database thread: flat lists and one buffer.
 *
 * Cloning costs by the object, and a buffer is the dearest of them: a step's rows cross for a quarter
 * of what they cost one by one, on either side.
 */
export interface PackedBatches {
  readonly batches: readonly PackedBatch[]
  /** What all cells of bytes hold, one after another. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** For the way; `bytes` is nobody else's, so its buffer may be transferred. */
export function packBatches(batches: readonly Batch[]): PackedBatches {
  const chunks: Uint8Array[] = []
  const packed = batches.map((batch) => packBatch(batch, chunks))
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return { batches: packed, bytes }
}

function packBatch({ sql, runs, guard = false }: Batch, chunks: Uint8Array[]): PackedBatch {
  const cells: Plain[] = []
  const bytesAt: number[] = []
  for (const run of runs)
    for (const cell of run) {
      if (cell === null || typeof cell !== 'object') cells.push(cell)
      else {
        bytesAt.push(cells.length, cell.length)
        cells.push(null)
        chunks.push(cell)
      }
    }
  return { sql, guard, runs: runs.length, cells, bytesAt }
}

/** What was packed; its bytes are views. */
export function unpackBatches({ batches, bytes }: PackedBatches): readonly Batch[] {
  let offset = 0
  return batches.map(({ sql, guard, runs, cells: plain, bytesAt }) => {
    const cells: Cell[] = [...plain]
    for (let i = 0; i < bytesAt.length; i += 2) {
      const end = offset + (bytesAt[i + 1] ?? 0)
      cells[bytesAt[i] ?? 0] = bytes.subarray(offset, end)
      offset = end
    }
    const width = cells.length / runs
    const run = (_: unknown, at: number): Cell[] => cells.slice(at * width, (at + 1) * width)
    return { sql, guard, runs: Array.from({ length: runs }, run) }
  })
}
