import type { Transport } from './connection.ts'

/** What the load client is told to do; JSON, in its first argument. */
export interface Job {
  readonly kind: 'chat' | 'ping' | 'login' | 'idle' | 'room' | 'node'
  /** One of them for each session in turn. */
  readonly ports: readonly number[]
  /** TCP where nothing is said. */
  readonly transport?: Transport
  /** TLS from the first byte; of TCP alone. */
  readonly tls: boolean
  readonly domain: string
  /** Undefined: guests. Accounts are `user0`, `user1`, … */
  readonly password: string | undefined
  readonly sessions: number
  /** Log-ins that run at once. */
  readonly concurrency: number
  readonly warmupSeconds: number
  /** The measured window; for `idle`, how long the server may settle. */
  readonly seconds: number
  /** Server processes by name. */
  readonly processes: Readonly<Record<string, number>>
}

/** What a load client measured; one line of JSON on its standard output. */
export interface Measured {
  /** Messages delivered (to each who hears them), answers received or log-ins completed in the window. */
  readonly events: number
  readonly seconds: number
  /** Milliseconds, ascending; empty for `idle`. */
  readonly p50: number
  readonly p99: number
  readonly lost: number
  readonly duplicated: number
  readonly outOfOrder: number
  /** CPU seconds in the window, by server process; of this client; of everything else on the machine. */
  readonly cpu: Readonly<Record<string, number>>
  readonly clientCpu: number
  readonly otherCpu: number
  /** Resident bytes that each session added, by server process. */
  readonly bytesPerSession?: Readonly<Record<string, number>>
  readonly sessions: number
}
