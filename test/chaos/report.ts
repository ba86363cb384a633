import { isKept, type Verdict } from './ledger.ts'
import { isRollKept, type RollVerdict } from './roll.ts'

/** What a run showed. */
export interface Report {
  readonly seed: number
  readonly seconds: number
  readonly deeds: Readonly<Record<string, number>>
  readonly kills: number
  readonly verdict: Verdict
  /** Of a room, and of a node of pubsub. */
  readonly lines: RollVerdict
  readonly items: RollVerdict
  readonly resumed: number
  /** Sessions that could not be resumed. */
  readonly rebound: number
  readonly endings: Readonly<Record<string, number>>
  /** Milliseconds. */
  readonly resumption: Percentiles
  /** Resumptions that were begun after the death of a connection manager and before the next deed. */
  readonly afterKill: Percentiles
  readonly takeover: Percentiles
  /** What clients and processes did that they must not. */
  readonly violations: readonly string[]
}

/** Of a list of figures. */
export interface Percentiles {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Sorts and reads off. */
export function percentiles(figures: readonly number[]): Percentiles {
  const sorted = figures.toSorted((one, other) => one - other)
  const at = (part: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0)
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** Whether a run showed no violation at all. */
export function isGood({ verdict, lines, items, violations }: Report): boolean {
  return isKept(verdict) && isRollKept(lines) && isRollKept(items) && violations.length === 0
}

/** A report for people. */
export function render(report: Report): string {
  const { verdict, resumption, takeover } = report
  const line = ({ p50, p99, max }: Percentiles): string => `p50 ${p50} p99 ${p99} max ${max} ms`
  return [
    `seed ${report.seed}, ${report.seconds} s, ${report.kills} kills`,
    ...Object.entries(report.deeds).map(([deed, times]) => `  ${deed.padEnd(28)} ${times}`),
    `stanzas     ${verdict.sent} sent, ${verdict.accepted} accepted, ${verdict.unknown} unknown`,
    `delivered   ${verdict.delivered}, ${verdict.repeated} repeated in a later session`,
    ...(['lost', 'doubled', 'reordered', 'foreign', 'archive'] as const).map(
      (name) =>
        `${name.padEnd(11)} ${verdict[name].length}  ${verdict[name].slice(0, 5).join(' ')}`,
    ),
    ...rolled('room', report.lines),
    ...rolled('node', report.items),
    `resumed     ${report.resumed} (${line(resumption)}); ${report.rebound} bound anew`,
    `            after a connection manager's death: ${report.afterKill.count} (${line(report.afterKill)})`,
    `takeover    ${takeover.count} measured (${line(takeover)})`,
    `endings     ${Object.entries(report.endings)
      .map(([reason, times]) => `${reason}: ${times}`)
      .join(', ')}`,
    ...report.violations.map((violation) => `violation   ${violation}`),
    isGood(report) ? 'every promise was kept' : 'PROMISES WERE BROKEN',
  ].join('\n')
}

function rolled(name: string, verdict: RollVerdict): string[] {
  const { sent, accepted, heard } = verdict
  const wrong = (['lost', 'doubled', 'reordered'] as const).filter(
    (kind) => verdict[kind].length > 0,
  )
  return [
    `${name.padEnd(11)} ${sent} sent, ${accepted} accepted, heard ${heard} times`,
    ...wrong.map(
      (kind) => `  ${kind} ${verdict[kind].length}: ${verdict[kind].slice(0, 5).join('; ')}`,
    ),
  ]
}
