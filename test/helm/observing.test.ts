import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parser } from '@prometheus-io/lezer-promql'
import { Metrics } from '@tactus/telemetry'
import { parse } from 'yaml'
import { metricNames } from '../../scripts/pages/metrics.ts'
import { chart, noHelm, ofKind, root } from './rendering.ts'

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string }
}

interface Panel {
  readonly id: number
  readonly title: string
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly targets?: readonly { readonly expr: string }[]
}

const rulesText = readFileSync(join(chart, 'rules', 'tactus.yaml'), 'utf8')
const rules: readonly Rule[] = parse(rulesText).groups.flatMap(
  (group: { readonly rules: readonly Rule[] }) => group.rules,
)
const panels: readonly Panel[] = JSON.parse(
  readFileSync(join(chart, 'dashboards', 'overview.json'), 'utf8'),
).panels

interface Named {
  readonly name: string
  readonly expression: string
}

const queries: readonly Named[] = [
  ...rules.map(({ alert, expr }) => ({ name: alert, expression: expr })),
  ...panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      name: title,
      expression: expr.replaceAll('$__rate_interval', '1m'),
    })),
  ),
]

/** Every metric that an instance serves, and `up`, which Prometheus makes. */
async function served(): Promise<ReadonlySet<string>> {
  const text = await new Metrics({ runtime: true }).expose()
  const ofNode = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name = '']) => name)
  const ours = metricNames().flatMap(({ name, kind }) =>
    kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  )
  return new Set(['up', ...ofNode, ...ours])
}

/** Metrics that a query names; an error where the query is not PromQL. */
function metricsIn({ name, expression }: Named): readonly string[] {
  const metrics: string[] = []
  parser.parse(expression).iterate({
    enter({ type, node, from, to }) {
      assert(!type.isError, `${name}: ${expression} at ${from}`)
      if (type.name === 'Identifier' && node.parent?.name === 'VectorSelector')
        metrics.push(expression.slice(from, to))
    },
  })
  return metrics
}

test('every query asks for metrics that are served', async () => {
  const known = await served()
  for (const query of queries) {
    const metrics = metricsIn(query)
    assert(metrics.length > 0, query.name)
    for (const metric of metrics) assert(known.has(metric), `${query.name}: ${metric}`)
  }
})

/** `[metric, label, value]` of every comparison for equality. */
const comparisons = (expression: string): readonly (readonly [string, string, string])[] =>
  [...expression.matchAll(/(\w+)\{([^}]*)\}/g)].flatMap(([, metric = '', matchers = '']) =>
    [...matchers.matchAll(/(\w+)="([^"]*)"/g)].map(
      ([, label = '', value = '']) => [metric, label, value] as const,
    ),
  )

test('every query that compares labels compares values that a metric has', () => {
  const labels = new Map(metricNames().map(({ name, labels: sets }) => [name, sets]))
  for (const { name, expression } of queries)
    for (const [metric, label, value] of comparisons(expression)) {
      if (label === 'job') continue
      const set = labels.get(metric)?.[label]
      assert(set !== undefined, `${name}: ${metric} has no ${label}`)
      if (typeof set !== 'number') assert(set.includes(value), `${name}: ${label}="${value}"`)
    }
})

test('what is not PromQL is found', () => {
  assert.throws(() => metricsIn({ name: 'broken', expression: 'sum by (rate(up[5m])' }))
})

test('every alert says how bad it is, what happened and what to do', () => {
  for (const { alert, labels, annotations } of rules) {
    assert.match(alert, /^Tactus[A-Z]/)
    assert(['warning', 'critical'].includes(labels.severity), alert)
    assert(annotations.summary && annotations.description, alert)
  }
})

const { error: noPromtool } = spawnSync('promtool', ['--version'])

test('the alerts fire when they should, and only then', {
  skip: noPromtool && 'needs promtool, of the Debian package prometheus',
}, () => {
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'rules.test.yaml'], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  })
  assert.equal(status, 0, `${stdout}${stderr}`)
})

test('the chart installs the rules and the dashboard as they are', { skip: noHelm }, () => {
  const [rule] = ofKind('monitoring', 'PrometheusRule').values()
  assert.deepEqual(rule?.spec, parse(rulesText))
  const boards = ofKind('monitoring', 'ConfigMap').get('release-tactus-dashboards')
  const text = boards?.data?.['tactus-overview.json'] ?? ''
  assert.deepEqual(JSON.parse(text).panels, panels)
})

test('no panel of the dashboard covers another', () => {
  const taken = new Set<string>()
  for (const { title, gridPos } of panels)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert(x < 24 && !taken.has(`${x},${y}`), title)
        taken.add(`${x},${y}`)
      }
})

const compose = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true })
const services: Readonly<
  Record<string, { command?: readonly string[]; volumes?: readonly string[]; depends_on?: object }>
> = compose.services

test('docker-compose.yml: what is mounted, run or waited for exists', () => {
  for (const [name, { command, volumes = [], depends_on = [] }] of Object.entries(services)) {
    for (const volume of volumes) {
      const [source = ''] = volume.split(':')
      const exists = source.startsWith('.')
        ? existsSync(join(root, source))
        : Object.hasOwn(compose.volumes, source)
      assert(exists, `${name}: ${volume}`)
    }
    if (Array.isArray(command)) assert(existsSync(join(root, command[0])), `${name}: ${command[0]}`)
    const waited = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on)
    for (const other of waited) assert(Object.hasOwn(services, other), `${name}: ${other}`)
  }
})

test('docker-compose.yml: the proxy and Prometheus look for instances that there are', () => {
  const proxy = readFileSync(join(root, 'deploy/haproxy/haproxy.cfg'), 'utf8')
  const behind = [...proxy.matchAll(/^ +server \S+ (\S+):\d+$/gm)].map(([, host = '']) => host)
  const { scrape_configs: jobs } = parse(
    readFileSync(join(root, 'deploy/prometheus/prometheus.yml'), 'utf8'),
  )
  const scraped: readonly string[] = jobs[0].static_configs.flatMap(
    ({ targets }: { readonly targets: readonly string[] }) =>
      targets.map((target) => target.split(':')[0] ?? ''),
  )
  const instances = Object.keys(services).filter((name) =>
    /^(connection-manager|router)-/.test(name),
  )
  assert.deepEqual(scraped.toSorted(), instances.toSorted())
  assert.deepEqual(
    [...new Set(behind)].toSorted(),
    instances.filter((name) => name.startsWith('connection')).toSorted(),
  )
})
