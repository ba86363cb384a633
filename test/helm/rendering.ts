import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseAllDocuments } from 'yaml'

export const root = join(import.meta.dirname, '..', '..')
export const chart = join(root, 'helm', 'tactus')
const binary = join(root, 'node_modules', '.bin', 'helm')

/** Why nothing can be rendered here: the pinned Helm runs on Linux and x64 only. */
export const noHelm: string | false =
  spawnSync(binary, ['version']).status === 0 ? false : 'the pinned Helm does not run here'

/** Names of the sets of values in ci/, which stand for the ways in which the chart is used. */
export const fixtures: readonly string[] = globSync('ci/*-values.yaml', { cwd: chart })
  .map((file) => basename(file, '-values.yaml'))
  .sort()

export const valuesOf = (fixture: string): string => join(chart, 'ci', `${fixture}-values.yaml`)

/** Runs Helm; what it says is in the result. */
export function helm(...args: readonly string[]): { readonly ok: boolean; readonly text: string } {
  const { status, stdout, stderr } = spawnSync(binary, args, { encoding: 'utf8' })
  return { ok: status === 0, text: `${stdout}${stderr}` }
}

interface Container {
  readonly name: string
  readonly args: readonly string[]
  readonly env: readonly { readonly name: string; readonly value?: string }[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
  readonly securityContext: object
  readonly resources: { readonly limits: { readonly memory?: string } }
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: string[] } } }
  readonly startupProbe: Probe
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
}

/** The parts of manifests that tests look at. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly data?: Readonly<Record<string, string>>
  // biome-ignore lint/suspicious/noExplicitAny: the models of Kubernetes check the shape.
  readonly spec: any
}

/** A pod as a Deployment or a Job makes it. */
export interface PodSpec {
  readonly containers: readonly [Container]
  readonly volumes: readonly { readonly name: string; readonly [source: string]: unknown }[]
  readonly terminationGracePeriodSeconds: number
  readonly securityContext: { readonly runAsNonRoot: boolean }
  readonly automountServiceAccountToken: boolean
}

const rendered = new Map<string, readonly Manifest[]>()

/** What would be installed with these values. */
export function render(fixture: string): readonly Manifest[] {
  const known = rendered.get(fixture)
  if (known) return known
  const flags = ['--namespace', 'chat', '--kube-version', '1.31.0', '--values', valuesOf(fixture)]
  const { ok, text } = helm('template', 'release', chart, ...flags)
  if (!ok) throw new Error(text)
  const manifests = parseAllDocuments(text)
    .map((document) => document.toJS({ maxAliasCount: 0 }) as Manifest | null)
    .filter((manifest) => manifest !== null)
  rendered.set(fixture, manifests)
  return manifests
}

/** The manifests of a kind, by name. */
export function ofKind(fixture: string, kind: string): ReadonlyMap<string, Manifest> {
  const found = render(fixture).filter((manifest) => manifest.kind === kind)
  return new Map(found.map((manifest) => [manifest.metadata.name, manifest]))
}

/** The pod of a Deployment, such as `release-tactus-router`. */
export function podOf(fixture: string, role: string): PodSpec {
  const deployment = [...ofKind(fixture, 'Deployment').values()].find(
    ({ metadata }) => metadata.labels['app.kubernetes.io/component'] === role,
  )
  if (!deployment) throw new Error(`${fixture} has no ${role}`)
  return deployment.spec.template.spec
}
