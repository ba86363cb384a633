import { isIPv6 } from 'node:net'

/** What one address may do; `undefined` limits nothing. */
export interface AddressLimits {
  /** Connections that have not authenticated yet. */
  readonly unauthenticated: number
  /** New connections a second. */
  readonly connectsPerSecond: number
  /** Failed logins within `window` that lead to a ban. */
  readonly failures: number
  /** Milliseconds. */
  readonly window: number
  /** Milliseconds. */
  readonly ban: number
  /** Registrations within `window`. */
  readonly registrations: number
}

interface Record {
  unauthenticated: number
  second: number
  connects: number
  failures: number
  registrations: number
  windowEnds: number
  bannedUntil: number
}

/** Addresses remembered at most; beyond it the longest known quiet ones are forgotten. */
const maxRecords = 100_000

/**
 * What each address did lately: it is what can be counted of a peer before it says who it is.
 *
 * IPv6 goes by /64, which is what one customer gets.
 */
export class AddressBook {
  readonly #limits: AddressLimits | undefined
  readonly #records = new Map<string, Record>()

  constructor(limits: AddressLimits | undefined) {
    this.#limits = limits
  }

  /** Counts a new connection; false when it is one too many. */
  admit(address: string, now: number): boolean {
    const limits = this.#limits
    if (!limits) return true
    const record = this.#record(address, now)
    const second = Math.floor(now / 1_000)
    if (record.second !== second) {
      record.second = second
      record.connects = 0
    }
    record.connects += 1
    if (record.connects > limits.connectsPerSecond) return false
    if (record.bannedUntil > now || record.unauthenticated >= limits.unauthenticated) return false
    record.unauthenticated += 1
    return true
  }

  /** An admitted connection authenticated or ended. */
  settle(address: string): void {
    const key = keyOf(address)
    const record = this.#records.get(key)
    if (!record) return
    record.unauthenticated = Math.max(0, record.unauthenticated - 1)
  }

  /** Counts a failed login. */
  failed(address: string, now: number): void {
    const limits = this.#limits
    if (!limits) return
    const record = this.#record(address, now)
    record.failures += 1
    if (record.failures < limits.failures) return
    record.failures = 0
    record.bannedUntil = now + limits.ban
  }

  /** Counts an account that is about to be made; false when it is one too many. Those under way count as well. */
  admitRegistration(address: string, now: number): boolean {
    const limits = this.#limits
    if (!limits) return true
    const record = this.#record(address, now)
    if (record.registrations >= limits.registrations) return false
    record.registrations += 1
    return true
  }

  /** An admitted registration made no account. */
  registrationFailed(address: string, now: number): void {
    if (!this.#limits) return
    const record = this.#record(address, now)
    record.registrations = Math.max(0, record.registrations - 1)
  }

  get size(): number {
    return this.#records.size
  }

  #record(address: string, now: number): Record {
    const key = keyOf(address)
    const known = this.#records.get(key)
    if (known && now < known.windowEnds) return known
    const windowEnds = now + (this.#limits?.window ?? 0)
    if (known) {
      Object.assign(known, { failures: 0, registrations: 0, windowEnds })
      // The order of the map is the order of the windows, so that the oldest is found at once.
      this.#records.delete(key)
      this.#records.set(key, known)
      return known
    }
    if (this.#records.size >= maxRecords) this.#forgetQuiet(now)
    const record: Record = {
      unauthenticated: 0,
      second: 0,
      connects: 0,
      failures: 0,
      registrations: 0,
      windowEnds,
      bannedUntil: 0,
    }
    this.#records.set(key, record)
    return record
  }

  #forgetQuiet(now: number): void {
    let looked = 0
    for (const [key, record] of this.#records) {
      looked += 1
      if (record.unauthenticated === 0 && record.bannedUntil <= now) this.#records.delete(key)
      if (looked >= 1_000) return
    }
  }
}

/** What stands for whoever holds this address. */
export function keyOf(address: string): string {
  const mapped = address.startsWith('::ffff:') ? address.slice(7) : address
  if (!isIPv6(mapped)) return mapped
  return `${expand(mapped).slice(0, 4).join(':')}::/64`
}

/** The first groups of an IPv6 address, without abbreviations. */
function expand(address: string): string[] {
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? []
  const left = head === '' ? [] : head.split(':')
  if (tail === undefined) return left
  const right = tail === '' ? [] : tail.split(':')
  const zeros = Math.max(0, 8 - left.length - right.length)
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right]
}
