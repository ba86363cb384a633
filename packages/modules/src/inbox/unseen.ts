import { hash } from 'node:crypto'

/**
 * The newest unread messages of a conversation, as one text: for each, a digest of the id that its sender gave it, by
 * which markers name it (XEP-0333 §4), and one of its id in the archive (XEP-0490 §4.2). Digests, because senders choose
 * how long their ids are.
 */
export type Unseen = string

/** How many are remembered: a marker that is farther behind the last message than that tells nothing. */
const remembered = 64
const digestLength = 8
const entryLength = 2 * digestLength

/** Adds the newest message. */
export function addUnseen(unseen: Unseen, origin: string | undefined, id: string): Unseen {
  const entry = digest('origin', origin ?? id) + digest('id', id)
  return (unseen + entry).slice(-remembered * entryLength)
}

/**
 * What is unread after somebody read up to a message, it included; undefined where the message is none of those
 * remembered, so that nothing is known.
 */
export function readUpTo(
  unseen: Unseen,
  by: 'origin' | 'id',
  id: string,
): { readonly unseen: Unseen; readonly count: number } | undefined {
  const wanted = digest(by, id)
  const offset = by === 'origin' ? 0 : digestLength
  // Ids of a sender may repeat; then the last one was meant.
  for (let at = unseen.length - entryLength; at >= 0; at -= entryLength)
    if (unseen.startsWith(wanted, at + offset)) {
      const left = unseen.slice(at + entryLength)
      return { unseen: left, count: left.length / entryLength }
    }
  return undefined
}

function digest(kind: 'origin' | 'id', id: string): string {
  return hash('sha256', `${kind} ${id}`, 'base64url').slice(0, digestLength)
}
