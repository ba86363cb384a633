import { componentMetrics, connectionMetrics, remoteMetrics } from '@tactus/connection-manager'
import { coreMetrics } from '@tactus/core'
import { catalogue } from '@tactus/modules'
import { engineMetrics } from '@tactus/router'
import { type MetricSpec, metricName } from '@tactus/telemetry'
import { code, generatedNotice, table } from './markdown.ts'

type Group = Readonly<Record<string, MetricSpec>>

/** What is declared where, under the prefix that the owner uses. */
const groups: readonly (readonly [prefix: string, specs: Group])[] = [
  ['xmpp_c2s', connectionMetrics],
  ['xmpp_s2s', remoteMetrics],
  ['xmpp_component', componentMetrics],
  ['xmpp_router', coreMetrics],
  ['xmpp_engine', engineMetrics],
  ...catalogue.map(
    ({ name, metrics }) => [`xmpp_module_${name.replaceAll('-', '_')}`, metrics] as const,
  ),
]

const introduction = `# Metrics

Served at \`/metrics\` of \`listen.metrics\`, beside what is known of every Node process. Figures are in
base units: seconds and bytes. A label takes the values that are listed, or as many different ones
as are given as a number; whatever else comes is counted as \`other\`.
`

const labelsText = ({ labels }: MetricSpec): string =>
  Object.entries(labels)
    .map(
      ([name, set]) =>
        `${code(name)}: ${typeof set === 'number' ? `up to ${set}` : set.join(', ')}`,
    )
    .join('; ')

interface NamedMetric extends MetricSpec {
  readonly name: string
}

/** Every metric that we declare, by its full name. */
export const metricNames = (): readonly NamedMetric[] =>
  groups.flatMap(([prefix, specs]) =>
    Object.entries(specs).map(([key, spec]) => ({
      ...spec,
      name: metricName(prefix, key, spec.kind),
    })),
  )

/** The page of all metrics. */
export function metricsPage(): string {
  const rows = metricNames().map((spec) => [
    code(spec.name),
    spec.kind,
    spec.help,
    labelsText(spec),
  ])
  return [generatedNotice, introduction, table(['name', 'kind', 'meaning', 'labels'], rows)].join(
    '\n',
  )
}
