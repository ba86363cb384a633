import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** Whose key it is: one for each pair of domains and stream. */
export interface DialbackScope {
  /** The domain that the key is shown to. */
  readonly receiving: string
  /** The domain that the key speaks for. */
  readonly originating: string
  /** Id of the stream, as its receiving side gave it. */
  readonly streamId: string
}

/**
 * A dialback key (XEP-0185 §4): made of what both sides know and a secret that all instances of the cluster share, so
 * that any of them can tell whether it is ours and none has to remember it.
 */
export function dialbackKey(secret: string | Uint8Array, scope: DialbackScope): string {
  const key = createHash('sha256').update(secret).digest('hex')
  const { receiving, originating, streamId } = scope
  return createHmac('sha256', key).update(`${receiving} ${originating} ${streamId}`).digest('hex')
}

/** Whether a key that another server was shown is one that this cluster made. */
export function isDialbackKey(
  secret: string | Uint8Array,
  scope: DialbackScope,
  shown: string,
): boolean {
  const mine = Buffer.from(dialbackKey(secret, scope))
  const theirs = Buffer.from(shown.trim().toLowerCase())
  return mine.length === theirs.length && timingSafeEqual(mine, theirs)
}
