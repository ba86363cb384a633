/**
 * The labels of a metric: for each, the closed set of its values, or how many different ones may be
 * told apart where the set is not known beforehand (the hosts served, say).
 */
export type LabelSet = Readonly<Record<string, readonly string[] | number>>

/** One combination of label values. */
export type LabelValues<L extends LabelSet> = {
  readonly [K in keyof L]: L[K] extends readonly (infer V)[] ? V & string : string
}

/** What kind of figure a metric is. */
export type MetricKind = 'counter' | 'gauge' | 'histogram'

/** A metric as data: what docs list and `Metrics.declare` makes real. */
export interface MetricSpec<K extends MetricKind = MetricKind, L extends LabelSet = LabelSet> {
  readonly kind: K
  readonly help: string
  readonly labels: L
  /** Upper bounds of a histogram, in the base unit. */
  readonly buckets?: readonly number[]
}

/** No labels at all. */
export type NoLabels = Readonly<Record<never, never>>

// Without labels there must be nothing to infer, or a group's own type would be taken for them.

/** Declares a figure that only grows; `_total` is added to its name. */
export function counter(help: string): MetricSpec<'counter', NoLabels>
export function counter<const L extends LabelSet>(help: string, labels: L): MetricSpec<'counter', L>
export function counter(help: string, labels: LabelSet = {}): MetricSpec<'counter'> {
  return { kind: 'counter', help, labels }
}

/** Declares a figure that goes up and down. */
export function gauge(help: string): MetricSpec<'gauge', NoLabels>
export function gauge<const L extends LabelSet>(help: string, labels: L): MetricSpec<'gauge', L>
export function gauge(help: string, labels: LabelSet = {}): MetricSpec<'gauge'> {
  return { kind: 'gauge', help, labels }
}

/** Upper bounds for latencies, in seconds: from a step in memory to a client that gave up. */
export const latencyBuckets: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

/** Declares a distribution; `buckets` are upper bounds in the base unit, latencies by default. */
export function histogram(help: string): MetricSpec<'histogram', NoLabels>
export function histogram<const L extends LabelSet>(
  help: string,
  labels: L,
  buckets?: readonly number[],
): MetricSpec<'histogram', L>
export function histogram(
  help: string,
  labels: LabelSet = {},
  buckets: readonly number[] = latencyBuckets,
): MetricSpec<'histogram'> {
  return { kind: 'histogram', help, labels, buckets }
}

/** `xmpp_c2s` and `streamErrors` → `xmpp_c2s_stream_errors_total`. */
export function metricName(prefix: string, key: string, kind: MetricKind): string {
  const name = `${prefix}_${key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()}`
  return kind === 'counter' && !name.endsWith('_total') ? `${name}_total` : name
}
