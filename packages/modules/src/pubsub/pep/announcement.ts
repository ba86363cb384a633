import {
  capabilityHashNode,
  readCapabilityHash,
  readCaps,
  type Verdict,
  verifyCapabilityHash,
  verifyCaps,
} from '@tactus/core'
import type { Stanza, XmlElement } from '@tactus/xml'

/** What a resource announces of its capabilities, in whichever way it does. */
export interface Announcement {
  /** The same for all that can do the same. */
  readonly key: string
  /** The node that tells, when asked. */
  readonly node: string
  verify(query: XmlElement): Verdict
}

/** Reads it from presence, the newer way before the older; undefined where there is none. */
export function announcementIn(presence: Stanza): Announcement | undefined {
  const hash = readCapabilityHash(presence)
  if (hash) {
    const node = capabilityHashNode(hash)
    return { key: node, node, verify: (query) => verifyCapabilityHash(hash, query) }
  }
  const caps = readCaps(presence)
  if (!caps) return undefined
  return {
    // What is verified is a hash by a function, whatever software says that it is its own.
    key: `${caps.hash ?? caps.node} ${caps.ver}`,
    node: `${caps.node}#${caps.ver}`,
    verify: (query) => verifyCaps(caps, query),
  }
}
