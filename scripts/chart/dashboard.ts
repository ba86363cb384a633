/** A query and how its series are named. */
type Query = readonly [expression: string, legend: string]

interface Panel {
  readonly title: string
  readonly description?: string
  /** Of Grafana. */
  readonly unit: 'short' | 'ops' | 'Bps' | 's' | 'bytes' | 'percentunit'
  readonly queries: readonly Query[]
  readonly kind?: 'timeseries' | 'stat'
  /** Of 24 columns. */
  readonly width: number
}

interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

/** Everything is of one namespace; outside of Kubernetes there is none, which `.*` fits too. */
const here = 'namespace=~"$namespace"'
const rate = '$__rate_interval'

const sum = (metric: string, by: string, labels = ''): string =>
  `sum by (${by}) (rate(${metric}{${here}${labels}}[${rate}]))`

const total = (metric: string, labels = ''): string =>
  `sum(rate(${metric}{${here}${labels}}[${rate}]))`

const quantile = (share: number): string =>
  `histogram_quantile(${share}, sum by (le) (rate(xmpp_engine_commit_seconds_bucket{${here}}[${rate}])))`

const rows: readonly Row[] = [
  {
    title: 'At a glance',
    panels: [
      {
        title: 'Bound sessions',
        unit: 'short',
        kind: 'stat',
        width: 4,
        queries: [[`sum(xmpp_c2s_streams{${here},state="bound"})`, '']],
      },
      {
        title: 'Stanzas routed',
        unit: 'ops',
        kind: 'stat',
        width: 4,
        queries: [[total('xmpp_router_stanzas_total'), '']],
      },
      {
        title: 'Inputs waiting',
        description: 'Accepted from clients and not yet committed by a router.',
        unit: 'short',
        kind: 'stat',
        width: 4,
        queries: [[`sum(xmpp_c2s_retained{${here}})`, '']],
      },
      {
        title: 'Commit, 99th percentile',
        unit: 's',
        kind: 'stat',
        width: 4,
        queries: [[quantile(0.99), '']],
      },
      {
        title: 'Partitions owned',
        description: 'As many as cluster.partitions says, always.',
        unit: 'short',
        kind: 'stat',
        width: 4,
        queries: [[`sum(xmpp_engine_partitions{${here}})`, '']],
      },
      {
        title: 'Instances up',
        unit: 'short',
        kind: 'stat',
        width: 4,
        queries: [[`sum by (role) (up{job="tactus",${here}})`, '{{role}}']],
      },
    ],
  },
  {
    title: 'Clients',
    panels: [
      {
        title: 'Streams by instance',
        unit: 'short',
        width: 12,
        queries: [
          [`sum by (instance, state) (xmpp_c2s_streams{${here}})`, '{{instance}} {{state}}'],
        ],
      },
      {
        title: 'Stanzas over client streams',
        unit: 'ops',
        width: 12,
        queries: [[sum('xmpp_c2s_stanzas_total', 'direction'), '{{direction}}']],
      },
      {
        title: 'Bytes over client streams',
        unit: 'Bps',
        width: 8,
        queries: [[sum('xmpp_c2s_bytes_total', 'direction'), '{{direction}}']],
      },
      {
        title: 'Connections and TLS',
        unit: 'ops',
        width: 8,
        queries: [
          [sum('xmpp_c2s_connections_total', 'outcome'), 'connection {{outcome}}'],
          [sum('xmpp_c2s_handshakes_total', 'outcome'), 'TLS {{outcome}}'],
        ],
      },
      {
        title: 'Logins',
        unit: 'ops',
        width: 8,
        queries: [
          [
            sum('xmpp_c2s_authentications_total', 'mechanism, outcome'),
            '{{mechanism}} {{outcome}}',
          ],
        ],
      },
      {
        title: 'Sessions',
        description: 'Hibernated sessions that are resumed cost their users nothing.',
        unit: 'ops',
        width: 12,
        queries: [[sum('xmpp_router_sessions_total', 'event'), '{{event}}']],
      },
      {
        title: 'Stream errors',
        unit: 'ops',
        width: 12,
        queries: [[sum('xmpp_c2s_stream_errors_total', 'condition'), '{{condition}}']],
      },
    ],
  },
  {
    title: 'Routers and the bus',
    panels: [
      {
        title: 'Stanzas routed, by kind',
        unit: 'ops',
        width: 8,
        queries: [[sum('xmpp_router_stanzas_total', 'kind, outcome'), '{{kind}} {{outcome}}']],
      },
      {
        title: 'Time of a commit',
        description: 'From the end of a step until Postgres and Redis have it.',
        unit: 's',
        width: 8,
        queries: [
          [quantile(0.5), 'median'],
          [quantile(0.95), '95 %'],
          [quantile(0.99), '99 %'],
        ],
      },
      {
        title: 'Inputs of a step',
        description: 'Steps grow with load, latency does not: a high figure alone is no trouble.',
        unit: 'short',
        width: 8,
        queries: [
          [
            `${sum('xmpp_engine_inputs_total', 'instance')} / ${sum('xmpp_engine_steps_total', 'instance')}`,
            '{{instance}}',
          ],
        ],
      },
      {
        title: 'Partitions by router',
        unit: 'short',
        width: 8,
        queries: [[`sum by (instance) (xmpp_engine_partitions{${here}})`, '{{instance}}']],
      },
      {
        title: 'Inputs waiting, by connection manager',
        unit: 'short',
        width: 8,
        queries: [[`sum by (instance) (xmpp_c2s_retained{${here}})`, '{{instance}}']],
      },
      {
        title: 'Repairs',
        description: 'Each of them is foreseen; many of them tell of a bus in trouble.',
        unit: 'ops',
        width: 8,
        queries: [
          [total('xmpp_c2s_bus_retries_total'), 'publish repeated'],
          [total('xmpp_c2s_repeats_total'), 'inputs repeated'],
          [sum('xmpp_c2s_gaps_total', 'outcome'), 'gap {{outcome}}'],
          [sum('xmpp_engine_problems_total', 'event'), '{{event}}'],
        ],
      },
    ],
  },
  {
    title: 'Processes',
    panels: [
      {
        title: 'CPU',
        description: 'One process uses little more than one core.',
        unit: 'percentunit',
        width: 8,
        queries: [
          [
            `sum by (role, instance) (rate(process_cpu_seconds_total{job="tactus",${here}}[${rate}]))`,
            '{{role}} {{instance}}',
          ],
        ],
      },
      {
        title: 'Memory',
        unit: 'bytes',
        width: 8,
        queries: [[`process_resident_memory_bytes{job="tactus",${here}}`, '{{role}} {{instance}}']],
      },
      {
        title: 'Event loop, 99th percentile',
        unit: 's',
        width: 8,
        queries: [
          [`nodejs_eventloop_lag_p99_seconds{job="tactus",${here}}`, '{{role}} {{instance}}'],
        ],
      },
    ],
  },
]

const datasource = { type: 'prometheus', uid: '$datasource' }
const columns = 24
const heights = { stat: 4, timeseries: 8 }

const defaultsOf = ({ unit, kind }: Panel) => ({
  unit,
  min: 0,
  ...(kind !== 'stat' && { custom: { fillOpacity: 10, showPoints: 'never' } }),
})

const variables = [
  { name: 'datasource', label: 'Source', type: 'datasource', query: 'prometheus' },
  {
    name: 'namespace',
    label: 'Namespace',
    type: 'query',
    datasource,
    query: 'label_values(xmpp_engine_partitions, namespace)',
    refresh: 2,
    includeAll: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  },
]

/** Places panels from left to right and rows one below the other. */
function placed(): readonly unknown[] {
  let id = 0
  let y = 0
  const panels: unknown[] = []
  for (const { title, panels: inRow } of rows) {
    panels.push({
      id: ++id,
      type: 'row',
      title,
      gridPos: { x: 0, y: y++, w: columns, h: 1 },
      panels: [],
    })
    let x = 0
    let height = 0
    for (const panel of inRow) {
      if (x + panel.width > columns) {
        x = 0
        y += height
      }
      const { title, description, kind = 'timeseries', queries, width: w } = panel
      height = heights[kind]
      panels.push({
        id: ++id,
        type: kind,
        title,
        ...(description !== undefined && { description }),
        datasource,
        gridPos: { x, y, w, h: height },
        fieldConfig: { defaults: defaultsOf(panel), overrides: [] },
        targets: queries.map(([expr, legendFormat], index) => ({
          refId: String.fromCharCode(65 + index),
          datasource,
          expr,
          ...(legendFormat !== '' && { legendFormat }),
        })),
      })
      x += w
    }
    y += height
  }
  return panels
}

/** helm/tactus/dashboards/overview.json, for Grafana. */
export function dashboardFile(): string {
  const dashboard = {
    uid: 'tactus-overview',
    title: 'Tactus',
    tags: ['xmpp'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: { list: variables },
    panels: placed(),
  }
  return `${JSON.stringify(dashboard, null, 2)}\n`
}
