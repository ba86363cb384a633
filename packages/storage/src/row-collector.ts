import type { Cell, Row, RowCollector, RowWrite } from './rows.ts'

/** A collector whose writes can be taken when the step is sealed. */
export interface CollectedRows extends RowCollector {
  /** Clears, then deletes, then upserts, then inserts; each table, key and set of columns once. */
  writes(): readonly RowWrite[]
}

/**
 * Starts collecting the rows of one step.
 *
 * `Storage.commit` runs clears and deletes before upserts and inserts, whatever the order of the calls was. So a
 * clear or a delete takes back the earlier upserts and inserts that it would have removed, an upsert the inserts that
 * it would have replaced, and the end result is that of the calls one after another.
 */
export function collectRows(): CollectedRows {
  return new Collector()
}

interface Keyed {
  readonly table: string
  readonly key: readonly string[]
  readonly rows: Map<string, Row>
}

class Collector implements CollectedRows {
  readonly #clears = new Map<string, { readonly table: string; readonly where: Row }>()
  readonly #deletes = new Map<string, Keyed>()
  readonly #upserts = new Map<string, Keyed>()
  readonly #inserts = new Map<string, TableInserts>()

  upsert(table: string, key: readonly string[], row: Row): void {
    const wanted = keyOf(key, row)
    this.#inserts.get(table)?.remove(key, wanted)
    groupOf(this.#upserts, table, key).rows.set(wanted, row)
  }

  insert(table: string, row: Row): void {
    let inserts = this.#inserts.get(table)
    if (!inserts) {
      inserts = new TableInserts()
      this.#inserts.set(table, inserts)
    }
    inserts.add(row)
  }

  delete(table: string, key: readonly string[], row: Row): void {
    const wanted = keyOf(key, row)
    this.#forgetUpserts(table, key, wanted)
    this.#inserts.get(table)?.remove(key, wanted)
    const only = Object.fromEntries(key.map((column) => [column, row[column] ?? null]))
    groupOf(this.#deletes, table, key).rows.set(wanted, only)
  }

  clear(table: string, where: Row): void {
    const key = Object.keys(where).sort()
    if (key.length === 0) throw new TypeError(`clear of ${table} without a condition`)
    const wanted = keyOf(key, where)
    this.#forgetUpserts(table, key, wanted)
    this.#inserts.get(table)?.remove(key, wanted)
    this.#clears.set(`${table} ${key.join()} ${wanted}`, { table, where })
  }

  writes(): readonly RowWrite[] {
    const writes: RowWrite[] = []
    for (const { table, where } of this.#clears.values()) writes.push({ op: 'clear', table, where })
    for (const { table, key, rows } of this.#deletes.values())
      writes.push({ op: 'delete', table, key, rows: [...rows.values()] })
    for (const { table, key, rows } of this.#upserts.values())
      for (const same of byColumns(rows.values()))
        writes.push({ op: 'upsert', table, key, rows: same })
    for (const [table, inserts] of this.#inserts)
      for (const same of byColumns(inserts.rows)) writes.push({ op: 'insert', table, rows: same })
    return writes
  }

  #forgetUpserts(table: string, key: readonly string[], wanted: string): void {
    for (const group of this.#upserts.values())
      if (group.table === table) forgetRows(group, key, wanted)
  }
}

function forgetRows(group: Keyed, key: readonly string[], wanted: string): void {
  if (sameColumns(group.key, key)) {
    group.rows.delete(wanted)
    return
  }
  for (const [id, row] of group.rows) if (keyOf(key, row) === wanted) group.rows.delete(id)
}

/** Inserts of one table, findable by whatever columns a delete names; steps insert and delete by the hundred. */
class TableInserts {
  readonly rows = new Set<Row>()
  readonly #indexes = new Map<string, { readonly key: readonly string[]; readonly found: Index }>()

  add(row: Row): void {
    this.rows.add(row)
    for (const { key, found } of this.#indexes.values()) addTo(found, keyOf(key, row), row)
  }

  remove(key: readonly string[], wanted: string): void {
    for (const row of this.#index(key).get(wanted) ?? []) this.rows.delete(row)
    this.#index(key).delete(wanted)
  }

  #index(key: readonly string[]): Index {
    const name = key.join()
    const known = this.#indexes.get(name)
    if (known) return known.found
    const found: Index = new Map()
    for (const row of this.rows) addTo(found, keyOf(key, row), row)
    this.#indexes.set(name, { key, found })
    return found
  }
}

type Index = Map<string, Row[]>

function addTo(index: Index, key: string, row: Row): void {
  const rows = index.get(key)
  if (rows) rows.push(row)
  else index.set(key, [row])
}

function groupOf(groups: Map<string, Keyed>, table: string, key: readonly string[]): Keyed {
  const name = `${table} ${key.join()}`
  const known = groups.get(name)
  if (known) return known
  const group = { table, key, rows: new Map<string, Row>() }
  groups.set(name, group)
  return group
}

/** One statement wants one list of columns; rows of a table nearly always have the same. */
function byColumns(rows: Iterable<Row>): Iterable<readonly Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const columns = Object.keys(row).sort().join()
    const group = groups.get(columns)
    if (group) group.push(row)
    else groups.set(columns, [row])
  }
  return groups.values()
}

const sameColumns = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((column, i) => column === b[i])

/** Lengths are part of it, so that no two lists of cells share a text. */
function keyOf(key: readonly string[], row: Row): string {
  let text = ''
  for (const column of key) text += cellKey(row[column] ?? null)
  return text
}

function cellKey(cell: Cell): string {
  if (typeof cell === 'string') return `s${cell.length}:${cell}`
  if (cell === null) return 'z'
  if (typeof cell === 'object') return `b${cell.length}:${Buffer.from(cell).toString('latin1')}`
  return `n${cell};`
}
