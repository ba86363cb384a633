import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { collectRows, type Row, type RowCollector, type RowWrite } from '../src/index.ts'

const key = ['owner', 'name']

test('rows: what is empty writes nothing', () => {
  assert.deepEqual(collectRows().writes(), [])
})

test('rows: one write a table and kind, the last value of a key wins', () => {
  const rows = collectRows()
  rows.upsert('a', key, { owner: 'x', name: '1', note: 'first' })
  rows.upsert('a', key, { owner: 'x', name: '2', note: 'other' })
  rows.upsert('a', key, { owner: 'x', name: '1', note: 'last' })
  rows.insert('b', { n: 1 })
  rows.insert('b', { n: 1 })
  assert.deepEqual(rows.writes(), [
    {
      op: 'upsert',
      table: 'a',
      key,
      rows: [
        { owner: 'x', name: '1', note: 'last' },
        { owner: 'x', name: '2', note: 'other' },
      ],
    },
    { op: 'insert', table: 'b', rows: [{ n: 1 }, { n: 1 }] },
  ])
})

test('rows: cells of different types are different keys, whatever they look like', () => {
  const rows = collectRows()
  const cells = ['1', 1, null, 'z', '', new Uint8Array([49]), 'n1;', 's1:1']
  for (const owner of cells) rows.upsert('a', ['owner'], { owner })
  rows.upsert('a', ['owner'], { owner: 1n })
  rows.upsert('a', ['owner'], { owner: new Uint8Array([49]) })
  const [write] = rows.writes()
  assert(write?.op === 'upsert')
  assert.equal(write.rows.length, cells.length)
})

test('rows: a clear of everything is a mistake', () => {
  assert.throws(() => collectRows().clear('a', {}), TypeError)
})

type Call = (rows: RowCollector) => void

const name = fc.constantFrom('1', '2', '3')
const owner = fc.constantFrom('a', 'b')
const call: fc.Arbitrary<Call> = fc.oneof(
  fc.record({ owner, name, note: fc.string() }).map(
    (row): Call =>
      (r) =>
        r.upsert('t', key, row),
  ),
  fc.record({ owner, name, note: fc.string() }).map(
    (row): Call =>
      (r) =>
        r.insert('t', row),
  ),
  fc.record({ owner, name }).map(
    (row): Call =>
      (r) =>
        r.delete('t', key, row),
  ),
  fc.record({ owner }).map(
    (row): Call =>
      (r) =>
        r.delete('t', ['owner'], row),
  ),
  owner.map(
    (value): Call =>
      (r) =>
        r.clear('t', { owner: value }),
  ),
)

/** A table that does each call at once, as SQL would one after another. */
class Table implements RowCollector {
  rows: Row[]

  constructor(rows: readonly Row[]) {
    this.rows = [...rows]
  }

  upsert(_table: string, columns: readonly string[], row: Row): void {
    const at = this.rows.findIndex((each) =>
      columns.every((column) => each[column] === row[column]),
    )
    if (at === -1) this.rows.push(row)
    else this.rows[at] = row
  }

  insert(_table: string, row: Row): void {
    this.rows.push(row)
  }

  delete(_table: string, columns: readonly string[], row: Row): void {
    this.rows = this.rows.filter((each) => columns.some((column) => each[column] !== row[column]))
  }

  clear(table: string, where: Row): void {
    this.delete(table, Object.keys(where), where)
  }

  has(row: Row): boolean {
    return this.rows.some((each) => key.every((column) => each[column] === row[column]))
  }
}

const textOf = (rows: readonly Row[]): string[] => rows.map((row) => JSON.stringify(row)).sort()

/** Runs the calls one after another, and collected; inserts of a key that is there are errors in either, so left out. */
function runBoth(start: readonly Row[], calls: readonly Call[]): readonly [Table, Table] {
  const oneByOne = new Table(start)
  const collected = collectRows()
  for (const each of calls) {
    const probe = collectRows()
    each(probe)
    const [write] = probe.writes()
    if (write?.op === 'insert' && write.rows.some((row) => oneByOne.has(row))) continue
    each(oneByOne)
    each(collected)
  }
  const sorted = new Table(start)
  for (const write of collected.writes()) apply(sorted, write)
  return [oneByOne, sorted]
}

function apply(table: Table, write: RowWrite): void {
  if (write.op === 'clear') return table.clear(write.table, write.where)
  for (const row of write.rows) {
    if (write.op === 'insert') table.insert(write.table, row)
    else table[write.op](write.table, write.key, row)
  }
}

test('rows: the sorted writes end where the calls one after another would', () => {
  const start = [
    { owner: 'a', name: '1', note: 'old' },
    { owner: 'b', name: '2', note: 'old' },
  ]
  fc.assert(
    fc.property(fc.array(call, { maxLength: 12 }), (calls) => {
      const [oneByOne, sorted] = runBoth(start, calls)
      assert.deepEqual(textOf(sorted.rows), textOf(oneByOne.rows))
    }),
    { numRuns: 2_000 },
  )
})
