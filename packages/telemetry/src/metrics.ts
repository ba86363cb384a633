import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import {
  type LabelSet,
  type LabelValues,
  type MetricKind,
  type MetricSpec,
  metricName,
} from './metric-spec.ts'

/** A counter whose labels are settled; `by` must not be negative. */
export interface BoundCounter {
  inc(by?: number): void
}

/** A gauge whose labels are settled. */
export interface BoundGauge {
  inc(by?: number): void
  dec(by?: number): void
  set(to: number): void
}

/** A histogram whose labels are settled; takes base units, seconds for durations. */
export interface BoundHistogram {
  observe(value: number): void
}

interface BoundKinds {
  counter: BoundCounter
  gauge: BoundGauge
  histogram: BoundHistogram
}

/** A metric with labels: `with` remembers what it gives out, hot paths keep what they got. */
export interface Labelled<L extends LabelSet, B> {
  with(labels: LabelValues<L>): B
}

/** What a declared metric is used by: without labels it counts at once. */
export type MetricHandle<S> =
  S extends MetricSpec<infer K, infer L>
    ? keyof L extends never
      ? BoundKinds[K]
      : Labelled<L, BoundKinds[K]>
    : never

/** The handles of a group of declared metrics, by the keys of the group. */
export type MetricHandles<S extends Readonly<Record<string, MetricSpec>>> = {
  readonly [K in keyof S]: MetricHandle<S[K]>
}

/** What is outside of a label's closed set counts as this, so that no input grows the registry. */
const otherValue = 'other'

interface PromMetric {
  labels(values: Record<string, string>): unknown
}

/** Remembers the bound handles of one metric and keeps its labels to their sets. */
class LabelledMetric implements Labelled<LabelSet, unknown> {
  readonly #metric: PromMetric
  readonly #labels: readonly (readonly [name: string, values: Set<string>, bound: number])[]
  readonly #handles = new Map<string, unknown>()

  constructor(metric: PromMetric, labels: LabelSet) {
    this.#metric = metric
    this.#labels = Object.entries(labels).map(([name, set]) =>
      typeof set === 'number' ? [name, new Set(), set] : [name, new Set(set), set.length],
    )
  }

  with(labels: Readonly<Record<string, string>>): unknown {
    const values = this.#labels.map(([name, known, bound]) => {
      const value = labels[name] ?? otherValue
      if (known.size < bound) known.add(value)
      return known.has(value) ? value : otherValue
    })
    const key = values.join('\n')
    let handle = this.#handles.get(key)
    if (handle === undefined) {
      const names = this.#labels.map(([name], index) => [name, values[index] ?? otherValue])
      handle = this.#metric.labels(Object.fromEntries(names))
      this.#handles.set(key, handle)
    }
    return handle
  }
}

/** The metrics of a process; what is asked for twice under one name is one metric. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #declared = new Map<string, { readonly spec: MetricSpec; readonly handle: unknown }>()
  readonly #collectors: (() => void)[] = []

  /** `runtime` adds what is known of every Node process: memory, event loop, file descriptors. */
  constructor({ runtime = false }: { readonly runtime?: boolean } = {}) {
    if (runtime) collectDefaultMetrics({ register: this.#registry })
  }

  /** The `Content-Type` of `expose`. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /**
   * Makes metrics real: `declare('xmpp_c2s', { streams: gauge('…') })` is `xmpp_c2s_streams`.
   *
   * @throws {Error} when a name is taken by another kind of metric or by other labels: a bug
   */
  declare<const S extends Readonly<Record<string, MetricSpec>>>(
    prefix: string,
    specs: S,
  ): MetricHandles<S> {
    const handles = Object.entries(specs).map(([key, spec]) => [
      key,
      this.#handle(metricName(prefix, key, spec.kind), spec),
    ])
    return Object.fromEntries(handles) as MetricHandles<S>
  }

  /** Calls `collect` before each scrape: for gauges that would be costly to keep up to date. */
  onScrape(collect: () => void): void {
    this.#collectors.push(collect)
  }

  /** Everything, in the text format of Prometheus. */
  expose(): Promise<string> {
    for (const collect of this.#collectors) collect()
    return this.#registry.metrics()
  }

  #handle(name: string, spec: MetricSpec): unknown {
    const known = this.#declared.get(name)
    if (known) {
      const shape = ({ kind, labels }: MetricSpec): string => JSON.stringify([kind, labels])
      if (shape(known.spec) === shape(spec)) return known.handle
      throw new Error(`metric ${name} is declared twice, with different kinds or labels`)
    }
    const metric = this.#make(name, spec)
    const hasLabels = Object.keys(spec.labels).length > 0
    const handle = hasLabels ? new LabelledMetric(metric, spec.labels) : metric
    this.#declared.set(name, { spec, handle })
    return handle
  }

  #make(name: string, { kind, help, labels, buckets = [] }: MetricSpec): PromMetric {
    const labelNames = Object.keys(labels)
    const registers = [this.#registry]
    const make: Record<MetricKind, () => PromMetric> = {
      counter: () => new Counter({ name, help, labelNames, registers }),
      gauge: () => new Gauge({ name, help, labelNames, registers }),
      histogram: () => new Histogram({ name, help, labelNames, registers, buckets: [...buckets] }),
    }
    return make[kind]()
  }
}
