import type { InstanceInfo } from '../bus.ts'
import { packPlain, unpackPlain } from './codec.ts'
import { count, Malformed, text, texts } from './shape.ts'

/*
 * Announcements are laid down by name and read leniently, unlike frames: an instance of a newer release that says more,
 * or has a role unknown here, must still be seen, or it would be judged dead.
 */

/** Encodes what an instance says of itself. */
export function encodeAnnouncement({ id, role, protocol, info }: InstanceInfo): Buffer {
  return packPlain({ id, role, protocol, info })
}

/** Reads an announcement. @throws {Malformed} */
export function decodeAnnouncement(bytes: Uint8Array): InstanceInfo {
  const plain = unpackPlain(bytes)
  if (typeof plain !== 'object' || plain === null) throw new Malformed('expected an announcement')
  const said = plain as Record<string, unknown>
  return {
    id: text.unpack(said.id),
    role: text.unpack(said.role) as InstanceInfo['role'],
    protocol: count.unpack(said.protocol),
    info: texts.unpack(said.info),
  }
}
