import {
  type OwnershipStore,
  type Reader,
  type Row,
  type RowWrite,
  type StepTransaction,
  type Storage,
  StorageRefused,
  StorageUnavailable,
  type StoredRecord,
  type TransactionOutcome,
} from '@tactus/storage'
import { type Faults, Line, type SimProc, type World } from './world.ts'

/** Guards of the step's transaction that a test takes away. */
export interface StorageMutations {
  readonly noFence?: boolean
  readonly noCounter?: boolean
}

interface RouterRow {
  step: number
  fenced: boolean
}

/** The one database of a simulated cluster: whole transactions, one after another. */
export class Database {
  readonly world: World
  readonly faults: Faults
  readonly mutations: StorageMutations
  readonly routers = new Map<string, RouterRow>()
  readonly partitions: (string | undefined)[]
  readonly outbox = new Map<string, Map<number, Uint8Array>>()
  readonly tables = new Map<string, Row[]>()
  incarnation = 1

  constructor(world: World, faults: Faults, partitions: number, mutations: StorageMutations = {}) {
    this.world = world
    this.faults = faults
    this.mutations = mutations
    this.partitions = new Array(partitions).fill(undefined)
  }

  table(name: string): Row[] {
    let rows = this.tables.get(name)
    if (!rows) {
      rows = []
      this.tables.set(name, rows)
    }
    return rows
  }

  commit({ router, step, record, writes, forget }: StepTransaction): TransactionOutcome {
    const row = this.routers.get(router)
    const { noFence, noCounter } = this.mutations
    if (!row || (row.fenced && !noFence)) return 'fenced'
    if (row.step >= step && !noCounter) return 'committed'
    for (const write of writes) check(write)
    if (row.fenced) this.world.violate(`one writer: rows of ${router} after its fence`)
    row.step = Math.max(step, row.step)
    const records = this.outbox.get(router) ?? new Map<number, Uint8Array>()
    this.outbox.set(router, records)
    if (record) records.set(step, record)
    for (const each of forget) this.outbox.get(each.router)?.delete(each.step)
    for (const write of writes) this.#write(write)
    this.world.trace(`rows ${router} ${step}`)
    return 'committed'
  }

  #write(write: RowWrite): void {
    const rows = this.table(write.table)
    if (write.op === 'insert') rows.push(...write.rows)
    else if (write.op === 'clear') drop(rows, (row) => matches(row, write.where))
    else
      for (const changed of write.rows) {
        drop(rows, (row) => write.key.every((column) => row[column] === changed[column]))
        if (write.op === 'upsert') rows.push(changed)
      }
  }
}

/** Rows that the store refuses for good: the simulation's NUL in a text. */
function check(write: RowWrite): void {
  if (write.op === 'clear') return
  for (const row of write.rows)
    if (Object.values(row).includes('poison')) throw new StorageRefused('22021', 'poison')
}

function drop(rows: Row[], goes: (row: Row) => boolean): void {
  for (let i = rows.length - 1; i >= 0; i -= 1) {
    const row = rows[i]
    if (row && goes(row)) rows.splice(i, 1)
  }
}

const matches = (row: Row, where: Row): boolean =>
  Object.entries(where).every(([column, value]) => row[column] === value)

/** What the simulation's own stores read; stands in the place of kysely. */
export interface SimReader {
  select<T>(read: (database: Database) => T): Promise<T>
}

/** A process' access to the database, at the end of a bad line. */
export function simStorage(database: Database, proc: SimProc): Storage {
  const line = new Line(proc, database.faults, () => new StorageUnavailable('no answer in time'))
  const reader: SimReader = { select: (read) => line.call(async () => read(database)) }
  return {
    dialect: 'sqlite',
    reader: reader as unknown as Reader,
    jobReader: reader as unknown as Reader,
    ownership: simOwnership(database, line),
    commit: (transaction) => line.call(async () => database.commit(transaction)),
    migrate: async () => [],
    pending: async () => [],
    expireSessions: async () => 0,
    purgeArchives: async () => 0,
    [Symbol.asyncDispose]: async () => {},
  }
}

function simOwnership(database: Database, line: Line): OwnershipStore {
  const { routers, partitions, outbox, world } = database
  const records = (router: string): StoredRecord[] =>
    Array.from(outbox.get(router) ?? [], ([step, record]) => ({ step, record })).sort(
      (a, b) => a.step - b.step,
    )
  const call = <T>(work: () => T): Promise<T> => line.call(async () => work())
  return {
    register: (id) =>
      call(() => {
        if (!routers.has(id)) routers.set(id, { step: 0, fenced: false })
      }),
    partitions: () => call(() => partitions.map((router, partition) => ({ partition, router }))),
    fence: (id) =>
      call(() => {
        const row = routers.get(id) ?? { step: 0, fenced: true }
        routers.set(id, row)
        row.fenced = true
        world.trace(`fence rows ${id}`)
        return { step: row.step, record: records(id).find(({ step }) => step === row.step) }
      }),
    isFenced: (id) => call(() => routers.get(id)?.fenced ?? true),
    transfer: (ids, from, to) =>
      call(() => {
        const moved = ids.filter((id) => partitions[id] === from)
        for (const id of moved) partitions[id] = to
        world.trace(`transfer ${moved.join()} ${from} ${to}`)
        return moved
      }),
    records: (id) => call(() => records(id)),
    routers: () => call(() => Array.from(routers, ([id, row]) => ({ id, ...row }))),
    incarnation: () => call(() => database.incarnation),
    raiseIncarnation: (from) =>
      call(() => {
        if (database.incarnation !== from) return false
        database.incarnation += 1
        for (const row of routers.values()) row.fenced = true
        world.trace(`incarnation ${database.incarnation}`)
        return true
      }),
    settings: async (mine) => mine,
  }
}
