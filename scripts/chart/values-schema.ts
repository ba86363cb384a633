import { renderJsonSchema, withModules } from '@tactus/config'
import { moduleSchemas } from '@tactus/router'
import { z } from 'zod'

type Json = Record<string, unknown>

/** What Kubernetes itself checks. */
const kubernetesObject = z.looseObject({})
const kubernetesList = z.array(kubernetesObject)
const texts = z.record(z.string(), z.string())
const count = z.int().min(0)
const quantity = z.string().regex(/^\d+(\.\d+)?(m|k|M|G|Ki|Mi|Gi)?$/)
const port = z.int().min(1).max(65_535)
const name = z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
const nameOrNothing = z.string().regex(/^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$/)

/** In the chart's values every key has a default, so nothing is required. */
const section = <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape).partial()

const secretKey = section({ name, key: z.string().min(1) })
const labelled = { enabled: z.boolean(), labels: texts }

const autoscaling = {
  enabled: z.boolean(),
  minReplicas: z.int().min(1),
  maxReplicas: z.int().min(1),
  cpu: quantity,
  scaleDown: section({
    stabilizationWindowSeconds: z.int().min(0).max(3_600),
    podsPerTenMinutes: z.int().min(1),
  }),
}

const role = {
  replicas: count,
  resources: kubernetesObject,
  terminationGracePeriodSeconds: z.int().min(1),
  podDisruptionBudget: section({
    enabled: z.boolean(),
    maxUnavailable: z.union([z.int().min(1), z.string().regex(/^[1-9]\d?%$/)]),
  }),
  extraEnv: kubernetesList,
  podAnnotations: texts,
  podLabels: texts,
  nodeSelector: texts,
  tolerations: kubernetesList,
  affinity: kubernetesObject,
  priorityClassName: z.string(),
  topologySpreadConstraints: kubernetesList,
}

const service = section({
  enabled: z.boolean(),
  type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']),
  annotations: texts,
  externalTrafficPolicy: z.enum(['Local', 'Cluster']),
  loadBalancerClass: z.string(),
  loadBalancerSourceRanges: z.array(z.string()),
  nodePorts: section({ c2s: port, c2sTls: port, s2s: port, http: port }),
})

const store = section({ port, to: kubernetesList })

const valuesSchema = section({
  /** Helm gives it to every chart. */
  global: kubernetesObject,
  image: section({
    repository: z.string().min(1),
    tag: z.string(),
    pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
  }),
  imagePullSecrets: z.array(section({ name })),
  nameOverride: nameOrNothing,
  fullnameOverride: nameOrNothing,
  config: withModules(moduleSchemas()),
  secrets: section({ bus: secretKey, storage: secretKey, cluster: secretKey }),
  certificates: z.array(name),
  connectionManager: section({
    ...role,
    propagationSeconds: count,
    autoscaling: section({ ...autoscaling, sessions: z.union([quantity, z.literal('')]) }),
    services: section({ c2s: service, s2s: service, http: service }),
  }),
  router: section({
    ...role,
    autoscaling: section({ ...autoscaling, lag: z.union([quantity, z.literal('')]) }),
  }),
  migration: section({
    enabled: z.boolean(),
    activeDeadlineSeconds: z.int().min(1),
    backoffLimit: count,
    resources: kubernetesObject,
  }),
  ingress: section({
    enabled: z.boolean(),
    className: z.string(),
    annotations: texts,
    hosts: z.array(z.strictObject({ host: name, secretName: name.optional() })),
  }),
  serviceAccount: section({ create: z.boolean(), name: nameOrNothing, annotations: texts }),
  podSecurityContext: kubernetesObject,
  securityContext: kubernetesObject,
  networkPolicy: section({
    enabled: z.boolean(),
    metricsFrom: kubernetesList,
    redis: store,
    postgres: store,
    exceptCidrs: z.array(z.string()),
  }),
  metrics: section({
    serviceMonitor: section({ ...labelled, interval: z.string().regex(/^\d+(ms|s|m)$/) }),
    prometheusRule: section(labelled),
    dashboards: section(labelled),
  }),
})

/** What the chart decides, or takes from secrets: naming it in `config` is a mistake. */
const ofTheChart = [['listen'], ['tls', 'certificates'], ['storage', 'url'], ['bus', 'url']]
const secret = ['cluster', 'secret']

const propertiesOf = (schema: Json): Json => schema.properties as Json

function remove(schema: Json, [key = '', ...rest]: readonly string[]): void {
  if (rest.length === 0) delete propertiesOf(schema)[key]
  else remove(propertiesOf(schema)[key] as Json, rest)
}

/** Helm's regular expressions repeat at most a thousand times; what is longer is refused later. */
const repeatable = (key: string, value: unknown): unknown =>
  key === 'pattern' && typeof value === 'string' ? value.replace(/\{1,\d{4,}\}/g, '+') : value

/** helm/tactus/values.schema.json: a mistake in the values is told before anything is installed. */
export function valuesSchemaFile(): string {
  const schema = renderJsonSchema(valuesSchema)
  const config = propertiesOf(schema).config as Json
  for (const path of [...ofTheChart, secret]) remove(config, path)
  Object.assign(config, { required: ['hosts'] })
  Object.assign(propertiesOf(config).hosts as Json, { minProperties: 1, default: undefined })
  return `${JSON.stringify({ ...schema, required: ['config'] }, repeatable, 2)}\n`
}
