import { boshNumber } from '@tactus/stream'
import type { Settings } from '../settings.ts'

/** The version of XEP-0124 that is spoken here. */
const version: readonly [number, number] = [1, 11]
/** What `content` may be: without anything that could end the header, and in the encoding that is sent. */
const contentType = /^[\w!#$&^.+-]{1,64}\/[\w!#$&^.+-]{1,64}(\s*;\s*charset="?utf-8"?)?$/i

/** What client and server have agreed on when the session was created (XEP-0124 §7). */
export interface BoshTerms {
  /** Seconds. */
  readonly wait: number
  /** Requests that are kept waiting. */
  readonly hold: number
  /** Requests at once. */
  readonly requests: number
  /** Whether the client says which answers it has. */
  readonly acks: boolean
  /** The version to answer; undefined for a client that named none, and expects errors of HTTP (§17.1). */
  readonly ver: string | undefined
  readonly content: string
  /** Whether all of it is inside TLS. */
  readonly isSecure: boolean
  /** Whether requests carry keys (§15). */
  readonly isKeyed: boolean
  readonly to: string | undefined
}

/** Reads the request that creates a session; undefined for one that cannot be understood. */
export function readTerms(
  attrs: Readonly<Record<string, string>>,
  { bosh }: Pick<Settings, 'bosh'>,
  isSecure: boolean,
): BoshTerms | undefined {
  const wait = optional(attrs.wait, bosh.wait)
  const hold = optional(attrs.hold, 1)
  const { content = 'text/xml; charset=utf-8' } = attrs
  if (wait === undefined || hold === undefined || !contentType.test(content)) return undefined
  const held = Math.min(hold, 1)
  return {
    wait: Math.min(wait, bosh.wait),
    hold: held,
    requests: held + 1,
    acks: attrs.ack === '1',
    ver: attrs.ver === undefined ? undefined : lower(attrs.ver),
    content,
    isSecure,
    isKeyed: attrs.newkey !== undefined,
    to: attrs.to,
  }
}

/** Whether the client waits itself, and asks now and then (§12). */
export function isPolling({ wait, hold }: Pick<BoshTerms, 'wait' | 'hold'>): boolean {
  return wait === 0 || hold === 0
}

function optional(text: string | undefined, fallback: number): number | undefined {
  return text === undefined ? fallback : boshNumber(text)
}

/** §7.1: the lower of the two; the parts are numbers of their own. */
function lower(theirs: string): string {
  const [, major = '', minor = ''] = /^(\d{1,4})\.(\d{1,4})$/.exec(theirs) ?? []
  const isLower =
    major !== '' &&
    (Number(major) < version[0] || (Number(major) === version[0] && Number(minor) < version[1]))
  return isLower ? theirs : version.join('.')
}
