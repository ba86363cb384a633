import {
  type CapabilityHash,
  type Caps,
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

/** The same as plain data. */
export type Announced =
  | { readonly hash: CapabilityHash; readonly caps?: never }
  | { readonly caps: Caps; readonly hash?: never }

/** Reads it from presence, the newer way before the older; undefined where there is none. */
export function announcedIn(presence: Stanza): Announced | undefined {
  const hash = readCapabilityHash(presence)
  if (hash) return { hash }
  const caps = readCaps(presence)
  return caps && { caps }
}

/** What can be done with it. */
export function announcementOf({ hash, caps }: Announced): Announcement {
  if (hash) {
    const node = capabilityHashNode(hash)
    return { key: node, node, verify: (query) => verifyCapabilityHash(hash, query) }
  }
  return {
    // What is verified is a hash by a function, whatever software says that it is its own.
    key: `${caps.hash ?? caps.node} ${caps.ver}`,
    node: `${caps.node}#${caps.ver}`,
    verify: (query) => verifyCaps(caps, query),
  }
}

/** Both at once. */
export function announcementIn(presence: Stanza): Announcement | undefined {
  const announced = announcedIn(presence)
  return announced && announcementOf(announced)
}
