/** A sustained rate and what may come at once after a quiet time. */
export interface Rate {
  /** Per second. */
  readonly perSecond: number
  readonly burst: number
}

/** Tokens left and when they were counted; data, because there is one a connection. */
export interface Bucket {
  tokens: number
  /** Monotonic milliseconds. */
  at: number
}

export function fullBucket(rate: Rate, now: number): Bucket {
  return { tokens: rate.burst, at: now }
}

/**
 * Takes `amount`, going into debt where there is not enough: what has arrived has arrived.
 *
 * @returns milliseconds until the debt is paid; 0 when there is none.
 */
export function take(bucket: Bucket, rate: Rate, amount: number, now: number): number {
  const earned = ((now - bucket.at) * rate.perSecond) / 1_000
  bucket.tokens = Math.min(rate.burst, bucket.tokens + earned) - amount
  bucket.at = now
  return bucket.tokens >= 0 ? 0 : (-bucket.tokens * 1_000) / rate.perSecond
}
