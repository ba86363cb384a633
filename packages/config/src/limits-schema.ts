import { z } from 'zod'
import { duration } from './values/duration.ts'
import { count, toggle } from './values/scalar.ts'
import { size } from './values/size.ts'

const rate = (bytesPerSecond: string, burst: string) =>
  z
    .strictObject({
      bytesPerSecond: size(bytesPerSecond, 1).meta({ description: 'Sustained, per stream.' }),
      burst: size(burst, 1).meta({ description: 'What may come at once after a quiet time.' }),
    })
    .prefault({})

const preAuth = z.strictObject({
  stanzaBytes: size('16KiB', 4096).meta({ description: 'Largest element before authentication.' }),
  elements: count(64, 8).meta({ description: 'Elements within one of them.' }),
  totalBytes: size('64KiB', 4096).meta({
    description: 'All that may be sent before authentication.',
  }),
})

const xml = z.strictObject({
  elements: count(2_000, 16).meta({ description: 'Elements within a stanza from a client.' }),
  s2sElements: count(10_000, 16).meta({ description: 'Elements within a stanza from a server.' }),
  depth: count(64, 8).meta({ description: 'Nesting of elements.' }),
  attributes: count(64, 8).meta({ description: 'Attributes of one element.' }),
  namespaces: count(32, 4).meta({ description: 'Namespace declarations of one element.' }),
  nameBytes: size('256', 16).meta({ description: 'Length of an element or attribute name.' }),
  attributeBytes: size('16KiB', 3071).meta({
    description: 'Length of an attribute value; a JID may take 3071.',
  }),
})

const timeouts = z.strictObject({
  tls: duration('10s').meta({
    description:
      'From the connection to the end of the TLS hand-shake; as long again to the end of an HTTP request’s headers, and three times as long for its body, or for nothing to be taken of the answer.',
  }),
  auth: duration('60s').meta({ description: 'From the connection to authentication.' }),
  bind: duration('30s').meta({ description: 'From authentication to a bound resource.' }),
  idle: duration('5m').meta({
    description: 'Silence after which a client is asked for a sign of life.',
  }),
  idleClose: duration('60s').meta({ description: 'How long that sign may take.' }),
})

const authFailures = z.strictObject({
  perStream: count(3, 1).meta({ description: 'Failed attempts after which the stream is closed.' }),
  perIp: count(20, 1).meta({ description: 'Failed attempts of one address within `window`.' }),
  window: duration('10m').meta({ description: 'The time over which `perIp` counts.' }),
  ban: duration('15m').meta({ description: 'How long such an address is refused.' }),
})

const sendQueue = z.strictObject({
  // The mailbox is handed over in portions of 100, and what comes live has to fit in beside one.
  stanzas: count(1_000, 200).meta({
    description:
      'Unacknowledged stanzas of a session that waits to be resumed or whose client does not read; ten times as many of one that does.',
  }),
  bytes: size('2MiB', 65_536).meta({ description: 'Their size; a full queue ends the session.' }),
})

const resumption = z.strictObject({
  window: duration('10m').meta({
    description: 'How long a lost session can be resumed (XEP-0198).',
  }),
  maxWindow: duration('1h').meta({ description: 'The most that a client may ask for.' }),
  ackTimeout: duration('60s').meta({ description: 'How long an acknowledgement may take.' }),
})

const components = z.strictObject({
  connections: count(16, 1, 1_000).meta({
    description: 'Connections of one component to one connection manager.',
  }),
  handshake: duration('30s').meta({ description: 'From the connection to the hand-shake.' }),
  stanzas: count(10_000, 1).meta({
    description: 'Stanzas that wait for one component in one connection manager.',
  }),
  bytes: size('16MiB', 65_536).meta({ description: 'Their bytes.' }),
  stalled: duration('60s').meta({
    description:
      'How long a connection may take no more before it is closed, so that another goes on.',
  }),
})

/** Bounds on what anyone on the network may make the server do. */
export const limitsSchema = z.strictObject({
  rates: toggle(true).meta({
    description: 'Limits of rate: bytes, costs, connections and failed logins. Off for benchmarks.',
  }),
  stanzaBytes: size('256KiB', 10_000).meta({
    description: 'Largest stanza from a client; RFC 6120 §13.12 forbids less than 10000.',
  }),
  s2sStanzaBytes: size('512KiB', 10_000).meta({ description: 'Largest stanza from a server.' }),
  preAuth: preAuth.prefault({}),
  xml: xml.prefault({}),
  connectionsPerIp: count(50, 1).meta({
    description: 'Connections of one address (IPv4 /32, IPv6 /64) that have not authenticated yet.',
  }),
  connectsPerIpPerSecond: count(20, 1).meta({ description: 'New connections of one address.' }),
  c2sRate: rate('10KiB', '64KiB'),
  s2sRate: rate('100KiB', '1MiB'),
  componentRate: rate('1MiB', '4MiB'),
  components: components.prefault({}),
  costPerSecond: count(100, 1).meta({
    description: 'Delivery units of an account: a stanza costs what it makes the server send.',
  }),
  costBurst: count(1_000, 1).meta({ description: 'Delivery units that may be spent at once.' }),
  timeouts: timeouts.prefault({}),
  authFailures: authFailures.prefault({}),
  resourcesPerAccount: count(10, 1, 1_000).meta({ description: 'Bound resources of an account.' }),
  sendQueue: sendQueue.prefault({}),
  resumption: resumption.prefault({}),
})
