import type { Clock } from '@tactus/env'
import type { Executor, Statement, StatementResult } from './executor.ts'
import type { Cell, Row } from './rows.ts'
import type { ClusterSettings, OwnershipStore, StoredRecord } from './storage.ts'

/** Routers fenced this long ago, with nothing left of them, are taken off the list. */
const remembered = 7 * 24 * 3_600_000

/** The authority of design §3.2 over either dialect: every call is one transaction. */
export class SqlOwnershipStore implements OwnershipStore {
  readonly #executor: Executor
  readonly #clock: Clock
  /** Postgres locks rows in a fixed order, so that takers at once wait for each other and do not deadlock. */
  readonly #locked: string

  constructor(executor: Executor, clock: Clock) {
    this.#executor = executor
    this.#clock = clock
    this.#locked = executor.dialect === 'postgres' ? ' ORDER BY id FOR UPDATE' : ''
  }

  async register(router: string): Promise<void> {
    const now = this.#clock.now()
    await this.#run(
      statement(
        `DELETE FROM router WHERE fenced = 1 AND started < ?
          AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.router = router.id)
          AND NOT EXISTS (SELECT 1 FROM partition WHERE partition.router = router.id)`,
        now - remembered,
      ),
      statement(
        'INSERT INTO router (id, step, fenced, started) VALUES (?, 0, 0, ?) ON CONFLICT (id) DO NOTHING',
        router,
        now,
      ),
    )
  }

  async partitions(): Promise<
    readonly { readonly partition: number; readonly router: string | undefined }[]
  > {
    const [found] = await this.#run(statement('SELECT id, router FROM partition ORDER BY id'))
    return rowsOf(found).map((row) => ({
      partition: Number(row.id),
      router: textOf(row.router),
    }))
  }

  async fence(
    router: string,
  ): Promise<{ readonly step: number; readonly record: StoredRecord | undefined }> {
    // A router that never registered is fenced as well: should it come late, it finds itself out.
    const [, last, kept] = await this.#run(
      statement(
        `INSERT INTO router (id, step, fenced, started) VALUES (?, 0, 1, ?)
          ON CONFLICT (id) DO UPDATE SET fenced = 1`,
        router,
        this.#clock.now(),
      ),
      statement('SELECT step FROM router WHERE id = ?', router),
      statement(
        `SELECT outbox.step, outbox.record FROM outbox JOIN router ON router.id = outbox.router
          WHERE router.id = ? AND outbox.step = router.step`,
        router,
      ),
    )
    return { step: Number(rowsOf(last)[0]?.step ?? 0), record: rowsOf(kept).map(toRecord)[0] }
  }

  async isFenced(router: string): Promise<boolean> {
    const [found] = await this.#run(statement('SELECT fenced FROM router WHERE id = ?', router))
    return Number(rowsOf(found)[0]?.fenced ?? 1) === 1
  }

  async transfer(
    partitions: readonly number[],
    from: string | undefined,
    to: string,
  ): Promise<readonly number[]> {
    if (partitions.length === 0) return []
    const wanted = partitions.map(() => '?').join(', ')
    const held = from === undefined ? 'router IS NULL' : 'router = ?'
    const params = from === undefined ? partitions : [...partitions, from]
    const [, moved] = await this.#run(
      statement(
        `SELECT id FROM partition WHERE id IN (${wanted}) AND ${held}${this.#locked}`,
        ...params,
      ),
      statement(
        `UPDATE partition SET router = ? WHERE id IN (${wanted}) AND ${held} RETURNING id`,
        to,
        ...params,
      ),
    )
    return rowsOf(moved)
      .map((row) => Number(row.id))
      .sort((a, b) => a - b)
  }

  async records(router: string): Promise<readonly StoredRecord[]> {
    const [found] = await this.#run(
      statement('SELECT step, record FROM outbox WHERE router = ? ORDER BY step', router),
    )
    return rowsOf(found).map(toRecord)
  }

  async routers(): Promise<
    readonly { readonly id: string; readonly fenced: boolean; readonly step: number }[]
  > {
    const [found] = await this.#run(statement('SELECT id, fenced, step FROM router ORDER BY id'))
    return rowsOf(found).map((row) => ({
      id: String(row.id),
      fenced: Number(row.fenced) === 1,
      step: Number(row.step),
    }))
  }

  async incarnation(): Promise<number> {
    const [found] = await this.#run(statement('SELECT incarnation FROM cluster WHERE id = 1'))
    return Number(rowsOf(found)[0]?.incarnation)
  }

  async raiseIncarnation(from: number): Promise<boolean> {
    const raised = await this.#executor.transaction([
      {
        sql: 'UPDATE cluster SET incarnation = ? WHERE id = 1 AND incarnation = ?',
        params: [from + 1, from],
        guard: true,
      },
      statement('UPDATE router SET fenced = 1 WHERE fenced = 0'),
    ])
    return raised !== undefined
  }

  async settings(mine: ClusterSettings): Promise<ClusterSettings> {
    const first = await this.#executor.transaction([
      {
        sql: `UPDATE cluster SET name = ?, partitions = ?, secret_fingerprint = ?
          WHERE id = 1 AND name IS NULL`,
        params: [mine.cluster, mine.partitions, mine.secretFingerprint],
        guard: true,
      },
      ...partitionRows(mine.partitions),
    ])
    if (first) return mine
    const [found] = await this.#run(
      statement('SELECT name, partitions, secret_fingerprint FROM cluster WHERE id = 1'),
    )
    const row = rowsOf(found)[0]
    return {
      cluster: String(row?.name),
      partitions: Number(row?.partitions),
      secretFingerprint: String(row?.secret_fingerprint),
    }
  }

  async #run(...statements: readonly Statement[]): Promise<readonly StatementResult[]> {
    return (await this.#executor.transaction(statements)) ?? []
  }
}

function statement(sql: string, ...params: readonly Cell[]): Statement {
  return { sql, params }
}

function partitionRows(count: number): Statement[] {
  const statements: Statement[] = []
  for (let from = 0; from < count; from += 256) {
    const ids = Array.from({ length: Math.min(256, count - from) }, (_, i) => from + i)
    statements.push(
      statement(`INSERT INTO partition (id) VALUES ${ids.map(() => '(?)').join(', ')}`, ...ids),
    )
  }
  return statements
}

const rowsOf = (result: StatementResult | undefined): readonly Row[] => result?.rows ?? []

const textOf = (cell: Cell | undefined): string | undefined =>
  typeof cell === 'string' ? cell : undefined

function toRecord(row: Row): StoredRecord {
  const record = row.record
  return {
    step: Number(row.step),
    record: record instanceof Uint8Array ? record : new Uint8Array(),
  }
}
