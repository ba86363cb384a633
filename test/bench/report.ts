import type { Result } from './run.ts'

const rounded = (value: number): string => {
  if (!Number.isFinite(value)) return '-'
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toFixed(digits)
}

const sum = (values: Readonly<Record<string, number>>): number =>
  Object.values(values).reduce((total, value) => total + value, 0)

const byProcess = (values: Readonly<Record<string, number>>, factor: number): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${rounded(value * factor)}`)
    .join(', ')

const columns = [
  'target',
  'measurement',
  'per s',
  'per CPU s',
  'p50 ms',
  'p99 ms',
  'lost/dup/order',
  'client, others',
  'by process',
] as const

function rowOf(result: Result): readonly string[] {
  const { events, seconds, lost, duplicated, outOfOrder, bytesPerSession } = result
  const isIdle = bytesPerSession !== undefined
  const figure = (value: number): string => (isIdle ? '-' : rounded(value))
  return [
    result.target,
    result.measurement,
    figure(events / seconds),
    figure(events / sum(result.cpu)),
    figure(result.p50),
    figure(result.p99),
    isIdle ? '-' : `${lost}/${duplicated}/${outOfOrder}`,
    `${rounded(result.clientCpu / seconds)}, ${rounded(result.otherCpu / seconds)}`,
    isIdle
      ? `${byProcess(bytesPerSession, 1 / 1_024)} KiB a session`
      : `${byProcess(result.cpu, 1_000 / events)} CPU s a thousand`,
  ]
}

/**
 * The results for a terminal, and for a page: it is a Markdown table.
 *
 * “client, others” are the cores that the load client and everything foreign took in the window.
 */
export function table(results: readonly Result[]): string {
  const rows = [columns, ...results.map(rowOf)]
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |\n`
  const [head = columns, ...body] = rows
  return line(head) + line(widths.map((width) => '-'.repeat(width))) + body.map(line).join('')
}
