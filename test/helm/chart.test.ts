import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { configSchema, describeConfig, loadConfig } from '@tactus/config'
import { moduleSchemas } from '@tactus/router'
import { Health, Metrics, serveOperations } from '@tactus/telemetry'
import {
  chart,
  fixtures,
  helm,
  type Manifest,
  noHelm,
  ofKind,
  type PodSpec,
  podOf,
  render,
  root,
  valuesOf,
} from './rendering.ts'

const roles = ['connection-manager', 'router']
const skip = noHelm

/** Everything that makes pods, by the name of what makes them. */
const podsOf = (fixture: string): readonly (readonly [name: string, pod: PodSpec])[] =>
  render(fixture).flatMap((manifest) => {
    const { kind, metadata, spec } = manifest
    const name = `${kind} ${metadata.name}`
    if (kind === 'Pod') return [[name, spec] as const]
    return kind === 'Deployment' || kind === 'Job' ? [[name, spec.template.spec] as const] : []
  })

const configOf = (fixture: string): string =>
  [...ofKind(fixture, 'ConfigMap').values()].find(({ data }) => data?.['tactus.yaml'])?.data?.[
    'tactus.yaml'
  ] ?? ''

for (const fixture of fixtures) {
  test(`${fixture}: Tactus accepts the configuration that it is given`, { skip }, () => {
    const text = configOf(fixture)
    const { config } = loadConfig({ text, environment: {}, modules: moduleSchemas() })
    const ports = Object.entries(config.listen).map(([name, list]) => [name, list[0]?.port])
    assert.deepEqual(Object.fromEntries(ports), {
      c2s: 5222,
      c2sTls: 5223,
      s2s: 5269,
      http: 5280,
      https: undefined,
      metrics: 9090,
      component: undefined,
      s2sTls: undefined,
    })
    assert.equal(config.log.format, 'json')
  })

  test(`${fixture}: every pod runs as nobody, on a file system that it cannot change`, {
    skip,
  }, () => {
    for (const [name, pod] of podsOf(fixture)) {
      assert.equal(pod.securityContext.runAsNonRoot, true, name)
      assert.equal(pod.automountServiceAccountToken, false, name)
      const [{ securityContext, resources }] = pod.containers
      assert.deepEqual(securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      assert(resources.limits.memory, `${name} has no limit of memory`)
    }
  })

  test(`${fixture}: every selector finds pods, and every port a container's`, { skip }, () => {
    const templates = [...ofKind(fixture, 'Deployment').values()].map(({ spec }) => spec.template)
    const found = (labels: Readonly<Record<string, string>>) =>
      templates.filter(({ metadata }) =>
        Object.entries(labels).every(([key, value]) => metadata.labels[key] === value),
      )
    for (const { metadata, spec } of ofKind(fixture, 'Service').values()) {
      const pods = found(spec.selector)
      assert.equal(pods.length, 1, metadata.name)
      const names = (pods[0].spec as PodSpec).containers[0].ports.map(({ name }) => name)
      for (const { targetPort } of spec.ports) assert(names.includes(targetPort), targetPort)
    }
    for (const kind of ['PodDisruptionBudget', 'NetworkPolicy'])
      for (const { metadata, spec } of ofKind(fixture, kind).values())
        assert.equal(
          found((spec.selector ?? spec.podSelector).matchLabels).length,
          1,
          metadata.name,
        )
    for (const { spec } of ofKind(fixture, 'HorizontalPodAutoscaler').values())
      assert(ofKind(fixture, 'Deployment').has(spec.scaleTargetRef.name))
  })
}

test('every program that a container is told to run exists', { skip }, () => {
  for (const [name, { containers }] of podsOf('everything')) {
    const [program = ''] = containers[0].args
    if (name.startsWith('Pod ')) continue
    assert(existsSync(join(root, program)), `${name}: ${program}`)
  }
})

test('every variable that a container gets is one that the configuration knows', { skip }, () => {
  const known = new Set(describeConfig(configSchema).map(({ variable }) => variable))
  for (const [name, { containers }] of podsOf('minimal'))
    for (const variable of containers[0].env.map((entry) => entry.name))
      if (variable.startsWith('TACTUS_')) assert(known.has(variable), `${name}: ${variable}`)
})

test('only routers and the migration get the address of the database', { skip }, () => {
  const having = podsOf('minimal')
    .filter(([, pod]) => pod.containers[0].env.some(({ name }) => name === 'TACTUS_STORAGE__URL'))
    .map(([name]) => name)
  assert.deepEqual(having, ['Deployment release-tactus-router', 'Job release-tactus-migration'])
})

test('every probe is one that an instance answers', { skip }, async () => {
  const health = new Health()
  health.started()
  await using server = await serveOperations([{ host: '127.0.0.1', port: 0 }], {
    health,
    metrics: new Metrics(),
  })
  const port = server.addresses[0]?.port
  for (const role of roles)
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
      const { httpGet } = podOf('minimal', role).containers[0][probe]
      assert.equal(httpGet.port, 'metrics')
      const { status } = await fetch(`http://127.0.0.1:${port}${httpGet.path}`)
      assert.equal(status, 200, `${role}: ${httpGet.path}`)
    }
})

test('an instance has time to drain and to let go before it is killed', { skip }, () => {
  // The defaults of `run`: 30 s for draining, 30 s for the rest.
  for (const role of roles) {
    const { containers, terminationGracePeriodSeconds } = podOf('minimal', role)
    const [, propagation = 0] = containers[0].lifecycle?.preStop.exec.command ?? []
    assert(terminationGracePeriodSeconds - Number(propagation) > 60, role)
  }
})

test('a rolling update takes nothing away before the new one is ready', { skip }, () => {
  for (const { spec } of ofKind('minimal', 'Deployment').values())
    assert.deepEqual(spec.strategy.rollingUpdate, { maxUnavailable: 0, maxSurge: 1 })
})

test('the migration runs before anything else, with the configuration of the release', {
  skip,
}, () => {
  const isHook = ({ metadata }: Manifest): boolean =>
    metadata.annotations?.['helm.sh/hook'] === 'pre-install,pre-upgrade'
  const hooks = render('minimal').filter(isHook)
  assert.deepEqual(hooks.map(({ kind }) => kind).sort(), ['ConfigMap', 'Job'])
  const [config, job] = hooks.toSorted((one, other) => one.kind.localeCompare(other.kind))
  assert.equal(config?.data?.['tactus.yaml'], configOf('minimal'))
  const weights = [config, job].map((hook) =>
    Number(hook?.metadata.annotations?.['helm.sh/hook-weight']),
  )
  assert((weights[0] ?? 0) < (weights[1] ?? 0), 'the job would start without its configuration')
  assert(job)
  const { volumes } = job.spec.template.spec as PodSpec
  assert.deepEqual(volumes[0]?.configMap, { name: config?.metadata.name })
})

test('certificates are named so that the folder of them is understood', { skip }, () => {
  const { volumes, containers } = podOf('everything', 'connection-manager')
  const { projected } = volumes.find(({ name }) => name === 'certificates') as unknown as {
    projected: { sources: { secret: { items: { path: string }[] } }[] }
  }
  const paths = projected.sources.flatMap(({ secret }) => secret.items.map(({ path }) => path))
  assert.deepEqual(paths, [
    'example-test-tls.crt',
    'example-test-tls.key',
    'example-org-tls.crt',
    'example-org-tls.key',
  ])
  const mounts = containers[0].volumeMounts
  const { config } = loadConfig({ text: configOf('everything'), environment: {} })
  assert(mounts.some(({ mountPath }) => mountPath === config.tls.certificates))
  for (const { mountPath } of mounts)
    for (const other of mounts)
      assert(!other.mountPath.startsWith(`${mountPath}/`), 'nothing can be mounted on a ConfigMap')
})

test('a change of the configuration makes new pods', { skip }, () => {
  const sum = (fixture: string): string =>
    [...ofKind(fixture, 'Deployment').values()][0]?.spec.template.metadata.annotations[
      'checksum/config'
    ]
  assert.equal(sum('minimal'), sum('monitoring'))
  assert.notEqual(sum('minimal'), sum('everything'))
})

test('an autoscaler and the Deployment do not both say how many', { skip }, () => {
  for (const { spec } of ofKind('autoscaling', 'Deployment').values())
    assert.equal(spec.replicas, undefined)
  assert.equal(ofKind('minimal', 'HorizontalPodAutoscaler').size, 0)
})

const metricsOf = (fixture: string): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    [...ofKind(fixture, 'HorizontalPodAutoscaler').values()].map(({ metadata, spec }) => [
      metadata.labels['app.kubernetes.io/component'] ?? '',
      spec.metrics.map((metric: { type: string }) => metric.type),
    ]),
  )

test('instances scale by CPU, and by sessions and lag where those can be had', { skip }, () => {
  assert.deepEqual(metricsOf('cpu-autoscaling'), {
    'connection-manager': ['Resource'],
    router: ['Resource'],
  })
  assert.deepEqual(metricsOf('autoscaling'), {
    'connection-manager': ['Resource', 'Pods'],
    router: ['Resource', 'External'],
  })
})

const refusals: readonly (readonly [what: string, flags: readonly string[], message: RegExp])[] = [
  ['no domain', ['--set', 'config.hosts=null'], /hosts/],
  ['a value that does not exist', ['--set', 'replicaCount=3'], /replicaCount is not allowed/],
  ['a setting that does not exist', ['--set', 'config.limits.stanzaBites=1'], /stanzaBites is not/],
  ['a setting of the wrong kind', ['--set', 'config.limits.xml.depth=deep'], /depth: Invalid type/],
  [
    'a setting that the chart decides',
    ['--set', 'config.listen.c2s=5555'],
    /listen is not allowed/,
  ],
  ['a secret among the values', ['--set', 'config.cluster.secret=hush'], /secret is not allowed/],
  ['a password in a URL', ['--set', 'config.storage.url=postgres://a:b@c/d'], /url is not allowed/],
]

for (const [what, flags, message] of refusals)
  test(`${what} is refused before anything is installed`, { skip }, () => {
    const { ok, text } = helm(
      'template',
      'r',
      chart,
      '--kube-version',
      '1.31.0',
      '--values',
      valuesOf('minimal'),
      ...flags,
    )
    assert.equal(ok, false)
    assert.match(text, message)
  })

test('without a domain there is nothing to install', { skip }, () => {
  const { ok, text } = helm('template', 'r', chart, '--kube-version', '1.31.0')
  assert.equal(ok, false)
  assert.match(text, /config\.hosts/)
})
