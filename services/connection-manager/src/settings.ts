import type { Config } from '@tactus/config'
import { clientLimits, preAuthLimits, type ReaderLimits } from '@tactus/xml'
import type { AddressLimits } from './limits/address-book.ts'
import type { Rate } from './limits/token-bucket.ts'
import type { RetentionLimits } from './session/session-link.ts'

/** What a connection manager goes by, in the units it works with: bytes and milliseconds. */
export interface Settings {
  readonly tlsRequired: boolean
  readonly http: {
    /** Path; undefined where it is off. */
    readonly websocket: string | undefined
    readonly bosh: string | undefined
    /** Path below which feeds are. */
    readonly atom: string | undefined
    /** Of a page of a feed. */
    readonly atomEntries: number
    /** Path below which logs of rooms are. */
    readonly logs: string | undefined
    /** Of a page of a log. */
    readonly logLines: number
    /** In lower case; `*` is every one. */
    readonly origins: readonly string[]
    readonly url: string | undefined
    /** Connections at once. */
    readonly sockets: number
  }
  /** What BOSH sessions are told; seconds, as in their attributes. */
  readonly bosh: Config['bosh']
  readonly partitions: number
  readonly preAuth: ReaderLimits
  readonly client: ReaderLimits
  readonly timeouts: Config['limits']['timeouts'] & {
    /** From the connection to `<starttls/>`. */
    readonly starttls: number
    /** From the first byte of an element to its last, once there is a session. */
    readonly element: number
  }
  readonly failuresPerStream: number
  readonly addresses: AddressLimits | undefined
  readonly rate: Rate | undefined
  readonly retention: RetentionLimits
  /** How long a client may take to acknowledge (XEP-0198), milliseconds. */
  readonly ackTimeout: number
  /** Unsent bytes in a socket's buffer from which on the owner is told. */
  readonly stallBytes: number
  /** Written but unreported stanzas from which on the owner is told at once. */
  readonly reportAt: number
  /** Milliseconds by which a timeout may be late. */
  readonly wheel: number
  /** Inputs without a commit for this many milliseconds are published again. */
  readonly repeatAfter: number
  /** Milliseconds between reports of what was written. */
  readonly reportEvery: number
  /** A reader's limits for what another server sends, once it has proved who it is. */
  readonly server: ReaderLimits
  readonly s2s: Config['s2s'] & { readonly rate: Rate | undefined }
  /** Bounds of components. */
  readonly component: Config['limits']['components'] & { readonly rate: Rate | undefined }
  /** Milliseconds after which an instance that is not heard of counts as dead. */
  readonly ttl: number
  /** Milliseconds over which a drain ends the streams, and by which share, 0 to 1, each pause varies. */
  readonly drain: {
    readonly window: number
    readonly jitter: number
    readonly seeOtherUri?: string | undefined
    readonly seeOtherBosh?: string | undefined
  }
}

/** Reads what concerns this service from the whole configuration. */
export function settingsFrom(config: Config): Settings {
  const { limits, tls, cluster, http } = config
  const { depth, attributes, namespaces, nameBytes, attributeBytes } = limits.xml
  const shape = { depth, attributes, namespaces, nameBytes, attributeBytes }
  return {
    tlsRequired: tls.required,
    http: {
      websocket: http.websocket === 'off' ? undefined : http.websocket,
      bosh: http.bosh === 'off' ? undefined : http.bosh,
      atom: http.atom === 'off' ? undefined : http.atom.replace(/\/$/, ''),
      atomEntries: http.atomEntries,
      logs: http.logs === 'off' ? undefined : http.logs.replace(/\/$/, ''),
      logLines: http.logLines,
      origins: http.origins.map((origin) => origin.toLowerCase()),
      url: http.url,
      sockets: http.sockets,
    },
    bosh: config.bosh,
    partitions: cluster.partitions,
    preAuth: {
      ...preAuthLimits,
      ...shape,
      bytes: limits.preAuth.stanzaBytes,
      elements: limits.preAuth.elements,
      totalBytes: limits.preAuth.totalBytes,
    },
    client: {
      ...clientLimits,
      ...shape,
      bytes: limits.stanzaBytes,
      elements: limits.xml.elements,
    },
    server: {
      ...clientLimits,
      ...shape,
      bytes: limits.s2sStanzaBytes,
      elements: limits.xml.s2sElements,
    },
    s2s: {
      ...config.s2s,
      rate: limits.rates
        ? { perSecond: limits.s2sRate.bytesPerSecond, burst: limits.s2sRate.burst }
        : undefined,
    },
    component: {
      ...limits.components,
      rate: limits.rates
        ? { perSecond: limits.componentRate.bytesPerSecond, burst: limits.componentRate.burst }
        : undefined,
    },
    ttl: cluster.heartbeat,
    timeouts: { ...limits.timeouts, starttls: 30_000, element: 120_000 },
    failuresPerStream: limits.authFailures.perStream,
    addresses: limits.rates ? addressLimits(limits) : undefined,
    rate: limits.rates
      ? { perSecond: limits.c2sRate.bytesPerSecond, burst: limits.c2sRate.burst }
      : undefined,
    retention: { frames: 64, bytes: 262_144 },
    ackTimeout: limits.resumption.ackTimeout,
    stallBytes: 262_144,
    reportAt: Math.max(1, Math.floor(limits.sendQueue.stanzas / 2)),
    wheel: 1_000,
    repeatAfter: 10_000,
    reportEvery: 250,
    drain: { ...config.drain, jitter: config.drain.jitter / 100 },
  }
}

function addressLimits(limits: Config['limits']): AddressLimits {
  const { perIp: failures, window, ban } = limits.authFailures
  return {
    unauthenticated: limits.connectionsPerIp,
    connectsPerSecond: limits.connectsPerIpPerSecond,
    failures,
    window,
    ban,
    registrations: 1,
  }
}
