import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempDisposableSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { shortPlan } from './plan.ts'
import type { Result } from './run.ts'

const main = join(import.meta.dirname, 'main.ts')

test('the benchmark measures a standalone server, and nothing is lost, doubled or out of order', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'tactus-bench-'))
  const file = join(folder.path, 'results.json')
  const args = ['--conditions=source', main, '--short', '--target', 'standalone', '--json', file]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: 120_000,
  })
  assert.equal(status, 0, stderr)
  const { results } = JSON.parse(readFileSync(file, 'utf8')) as { results: readonly Result[] }
  assert.deepEqual(
    results.map(({ measurement }) => measurement),
    shortPlan.map(({ name }) => name),
  )
  for (const result of results) {
    const { measurement, events, p50, p99, lost, duplicated, outOfOrder } = result
    assert.ok(stdout.includes(measurement), 'the table has a row for it')
    const faults = { measurement, lost, duplicated, outOfOrder }
    assert.deepEqual(faults, { measurement, lost: 0, duplicated: 0, outOfOrder: 0 })
    if (result.bytesPerSession) continue
    assert.ok(events > 0, `${measurement} counted nothing`)
    assert.ok(p50 > 0 && p50 <= p99, `${measurement}: p50 ${p50} ms, p99 ${p99} ms`)
    assert.ok((result.cpu.standalone ?? 0) > 0, `${measurement}: no CPU time of the server`)
  }
})
