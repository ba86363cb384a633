import { z } from 'zod'
import { limitsSchema } from './limits-schema.ts'
import { federationSchema, s2sSchema } from './s2s-schema.ts'
import { addresses } from './values/address.ts'
import { attributeName, delegableNamespace } from './values/delegable.ts'
import { domainName } from './values/domain.ts'
import { duration } from './values/duration.ts'
import { location } from './values/location.ts'
import { networks } from './values/networks.ts'
import { count, toggle } from './values/scalar.ts'
import { secretValue } from './values/secret.ts'

const access = ['none', 'get', 'set', 'both'] as const
const permissions = z.strictObject({
  roster: z.enum(access).default('none').meta({
    description: 'What it may do with the rosters of its host’s accounts.',
  }),
  push: toggle(true).meta({
    description: 'Whether it is told of changes of rosters, where it may read them.',
  }),
  message: z.enum(['none', 'outgoing']).default('none').meta({
    description: 'Whether it may send messages in the name of its host and the accounts of it.',
  }),
  presence: z.enum(['none', 'managed_entity']).default('none').meta({
    description: 'Whether it is told who of its host’s accounts comes and goes.',
  }),
  iq: z
    .record(z.string(), z.enum(access).meta({ description: 'Which requests of this namespace.' }))
    .default({})
    .meta({
      description: 'Namespaces of requests that it may send in the name of its host’s accounts.',
    }),
})

const component = z.strictObject({
  secret: secretValue.meta({
    description: 'What it proves its domain with (XEP-0114 §3); best given by a file.',
  }),
  host: domainName.optional().meta({
    description:
      'The host whose policy of federation holds for it; the one above its domain when absent.',
  }),
  permissions: permissions.prefault({}).meta({
    description: 'What it may do as a privileged entity (XEP-0356).',
  }),
  delegations: z
    .record(
      delegableNamespace,
      z.array(attributeName).max(8).meta({
        description: 'Attributes that a request must have to be delegated; `[]` for all requests.',
      }),
    )
    .default({})
    .meta({
      description: 'Namespaces whose requests it answers in its host’s place (XEP-0355).',
    }),
  wait: duration('2m').meta({
    description:
      'How long a stanza waits for it while it is away; with `0s` its sender is told at once.',
  }),
})

const hostModules = z.record(
  z.string(),
  z
    .unknown()
    .meta({ description: 'What this host has otherwise; every key of the module may be here.' }),
)

/** One host's settings; all of them have defaults. */
export const hostSchema = z.strictObject({
  registration: z
    .strictObject({
      policy: z.enum(['closed', 'open']).default('closed').meta({
        description: 'Whether anyone may register an account in-band (XEP-0077).',
      }),
    })
    .prefault({}),
  federation: federationSchema.prefault({}),
  auth: z
    .strictObject({
      anonymous: toggle(false).meta({
        description: 'Serve guests by SASL ANONYMOUS, each with an account for the visit.',
      }),
    })
    .prefault({}),
  modules: hostModules.prefault({}).meta({
    description: 'Settings of modules for this host, over those for all hosts.',
  }),
})

const listen = z.strictObject({
  c2s: addresses('5222').meta({ description: 'Clients, TLS by STARTTLS (RFC 6120 §5).' }),
  c2sTls: addresses('5223').meta({ description: 'Clients, TLS from the first byte (XEP-0368).' }),
  s2s: addresses('5269').meta({ description: 'Other servers, TLS by STARTTLS.' }),
  s2sTls: addresses('off').meta({
    description:
      'Other servers, TLS from the first byte (XEP-0368); usually 5270, and of use to those who publish it as _xmpps-server.',
  }),
  component: addresses('127.0.0.1:5347').meta({ description: 'External components (XEP-0114).' }),
  http: addresses('5280').meta({
    description: 'WebSocket, BOSH and everything else over HTTP, for a proxy that has TLS.',
  }),
  https: addresses('5281').meta({ description: 'The same with TLS.' }),
  metrics: addresses('127.0.0.1:9090').meta({ description: 'Metrics and health, for operators.' }),
})

const http = z.strictObject({
  websocket: z
    .string()
    .regex(/^(off|\/[\w\-./~]*)$/, 'a path such as /xmpp-websocket, or off')
    .default('/xmpp-websocket')
    .meta({ description: 'Path of WebSocket (RFC 7395), or `off`.' }),
  bosh: z
    .string()
    .regex(/^(off|\/[\w\-./~]*)$/, 'a path such as /http-bind, or off')
    .default('/http-bind')
    .meta({ description: 'Path of BOSH (XEP-0124, XEP-0206), or `off`.' }),
  atom: z
    .string()
    .regex(/^(off|\/[\w\-./~]+)$/, 'a path such as /atom, or off')
    .default('off')
    .meta({
      description:
        'Path below which nodes that everybody may read are shown as Atom feeds, as `/atom/juliet@capulet.example/urn:xmpp:microblog:0`; or `off`.',
    }),
  atomEntries: count(50, 1, 1_000).meta({ description: 'Entries of one page of a feed.' }),
  logs: z
    .string()
    .regex(/^(off|\/[\w\-./~]+)$/, 'a path such as /logs, or off')
    .default('off')
    .meta({
      description:
        'Path below which rooms whose owners want it are shown (`modules.room-log`), as `/logs/coven@conference.capulet.example`; or `off`.',
    }),
  logLines: count(200, 1, 1_000).meta({ description: 'Lines, or rooms, of one page of logs.' }),
  origins: z.array(z.string()).default(['*']).meta({
    description:
      'Web pages, as `https://host`, whose scripts may use WebSocket and BOSH; `*` is every page, since nothing is authenticated by cookies.',
  }),
  sockets: count(8_192, 16).meta({
    description:
      'Connections over HTTP at once, in one connection manager: two of a client on BOSH, none of one on WebSocket.',
  }),
  url: z
    .string()
    .regex(
      /^https:\/\/[^\s/?#'<>&]+(\/[^\s?#'<>&]*)?$/,
      'a URL such as https://{host} or https://xmpp.example.org',
    )
    .optional()
    .meta({
      description:
        'Where the HTTP listeners are found from outside, for host-meta (XEP-0156); `{host}` becomes the host. Absent: wherever host-meta was asked for over TLS.',
    }),
})

const bosh = z.strictObject({
  wait: count(60, 1, 60).meta({
    description: 'Seconds that a request is kept waiting at most; a client may ask for less.',
  }),
  inactivity: count(60, 5, 300).meta({
    description: 'Seconds without a request after which a session is ended.',
  }),
  polling: count(5, 0, 60).meta({
    description: 'Seconds that have to lie between two empty requests of a client that polls.',
  }),
  maxPause: count(120, 5, 600).meta({
    description: 'Seconds for which a client may announce that it sends nothing.',
  }),
  script: toggle(false).meta({
    description:
      'Take requests in the query of a GET and answer as a script (XEP-0252), for browsers from before CORS. Any page can use it, whatever `http.origins` says.',
  }),
  sessions: count(10_000, 1).meta({
    description: 'Sessions at once, in one connection manager.',
  }),
})

const trustedProxies = z.strictObject({
  http: networks('127.0.0.0/8, ::1').meta({
    description: 'Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.',
  }),
  tcp: networks('off').meta({
    description:
      'Proxies that begin each connection with a PROXY protocol header (v1 or v2), on every listener for clients; what comes from them without one is closed.',
  }),
})

const tls = z.strictObject({
  required: toggle(true).meta({ description: 'Refuse to authenticate without TLS.' }),
  certificates: location('./certs').meta({
    description: 'Folder of certificates and keys in PEM, found by the names in them.',
  }),
})

const storage = z.strictObject({
  url: location('./data').meta({
    description: 'A folder for the embedded database, or `postgres://user:password@host/database`.',
  }),
  durability: z.enum(['batched', 'strict']).default('batched').meta({
    description:
      'When the embedded database is forced to disk: `strict` before every acknowledgement; `batched` survives the death of the process, but a loss of power may take the last moment.',
  }),
})

const bus = z.strictObject({
  url: location('memory').meta({
    description: '`memory` within one process, or `redis://…` for a cluster.',
  }),
})

const cluster = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes')
    .default('tactus')
    .meta({ description: 'Keeps the keys of several clusters on one Redis apart.' }),
  partitions: count(64, 1, 4_096).meta({ description: 'Fixed when the cluster is created.' }),
  secret: secretValue.optional().meta({
    description: 'Shared by all instances, which refuse to work with any that has another.',
  }),
  heartbeat: duration('3s').meta({
    description: 'An instance not heard of for this long is taken over.',
  }),
})

const drain = z.strictObject({
  window: duration('30s').meta({
    description:
      'How long a connection manager that is drained, or ends on SIGTERM, takes to end its streams, a few at a time.',
  }),
  jitter: count(20, 0, 100).meta({
    description:
      'By how many per cent each pause between them varies, so that instances that end together do not send their clients away in step.',
  }),
  seeOtherUri: z
    .string()
    .regex(/^wss?:\/\/\S+$/, 'a URI such as wss://other.example.org/xmpp-websocket')
    .optional()
    .meta({
      description:
        'Where clients on WebSocket are sent meanwhile (RFC 7395 §3.6.1); absent, they come back to where they came from.',
    }),
  seeOtherBosh: z
    .string()
    .regex(/^https?:\/\/[^\s'"<>&]+$/, 'a URI such as https://other.example.org/http-bind')
    .optional()
    .meta({
      description:
        'Where clients on BOSH are sent meanwhile (XEP-0124 §17.2), to begin anew; absent, their sessions go on at the other connection managers.',
    }),
})

const log = z.strictObject({
  level: z.enum(['debug', 'info', 'warn', 'error']).default('info').meta({
    description: 'The least that is logged.',
  }),
  format: z.enum(['auto', 'pretty', 'json']).default('auto').meta({
    description: '`auto` is `pretty` on a terminal and `json` elsewhere.',
  }),
})

const modules = z.record(
  z.string(),
  z.unknown().meta({ description: 'What this module can be told; see its own page.' }),
)

/** Everything that a Tactus process can be told. */
export const configSchema = z.strictObject({
  hosts: z.record(domainName, hostSchema).prefault({ localhost: {} }).meta({
    description: 'The domains that are served, each with its own settings.',
  }),
  admins: z
    .array(z.string().regex(/^[^\s@/]+@[^\s@/]+$/u, 'a bare JID such as juliet@example.org'))
    .default([])
    .meta({ description: 'Accounts that may administer the whole server.' }),
  components: z.record(domainName, component).prefault({}).meta({
    description: 'External components (XEP-0114), each with the domain that it serves.',
  }),
  listen: listen.prefault({}),
  http: http.prefault({}),
  bosh: bosh.prefault({}),
  trustedProxies: trustedProxies.prefault({}),
  tls: tls.prefault({}),
  storage: storage.prefault({}),
  bus: bus.prefault({}),
  limits: limitsSchema.prefault({}),
  cluster: cluster.prefault({}),
  drain: drain.prefault({}),
  s2s: s2sSchema.prefault({}),
  modules: modules.prefault({}).meta({ description: 'Settings of modules, by their names.' }),
  log: log.prefault({}),
})

/** A configuration once read: every default filled in, durations in ms and sizes in bytes. */
export type Config = z.output<typeof configSchema>

/** One host's settings. */
export type HostConfig = Config['hosts'][string]

/**
 * The schema with each module's own below `modules`, which turns unknown modules and unknown keys
 * of known ones into errors.
 *
 * A module that needs no settings gets its defaults when it is not mentioned.
 */
export function withModules(schemas: Readonly<Record<string, z.ZodType>>): typeof configSchema {
  const shape: Record<string, z.ZodType> = {}
  for (const [name, schema] of Object.entries(schemas)) {
    const strict = schema instanceof z.ZodObject ? schema.strict() : schema
    shape[name] = strict.safeParse({}).success ? strict.prefault({}) : strict.optional()
  }
  const known = z.strictObject(shape).prefault({}).meta({ description: 'Settings of modules.' })
  const { hosts } = configSchema.shape
  return configSchema.extend({
    hosts: hosts.superRefine((all, context) => {
      for (const [host, { modules: own }] of Object.entries(all))
        for (const [name, settings] of Object.entries(own))
          for (const { message, path } of problemsOfOverlay(schemas[name], settings))
            context.addIssue({ code: 'custom', message, path: [host, 'modules', name, ...path] })
    }),
    modules: known,
  }) as unknown as typeof configSchema
}

/** What is wrong with a host's part of a module's settings, in which nothing is demanded and nothing filled in. */
function problemsOfOverlay(
  schema: z.ZodType | undefined,
  settings: unknown,
): readonly { readonly message: string; readonly path: readonly PropertyKey[] }[] {
  if (!(schema instanceof z.ZodObject))
    return [{ message: 'there is no such module, or it has no settings', path: [] }]
  const result = schema.strict().partial().safeParse(settings)
  return result.success ? [] : result.error.issues
}
