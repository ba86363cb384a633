import { connect, isIPv6, type Socket } from 'node:net'

/** RFC 8305 §5: how long one attempt has before the next begins beside it. */
const attemptDelay = 250

/** RFC 8305 §4: the families take turns, IPv6 first, so that a broken one costs one attempt and not all. */
export function interleaved(addresses: readonly string[]): readonly string[] {
  const six = addresses.filter((address) => isIPv6(address))
  const four = addresses.filter((address) => !isIPv6(address))
  const length = Math.max(six.length, four.length)
  return Array.from({ length }, (_, at) => [six[at], four[at]])
    .flat()
    .filter((address) => address !== undefined)
}

/** Where to, and for how long each attempt is waited for. */
export interface RaceOptions {
  /** In the order to try them; at least one. */
  readonly addresses: readonly string[]
  readonly port: number
  /** Milliseconds. */
  readonly timeout: number
}

/**
 * Connects to the address that answers first (RFC 8305): attempts begin one after another, each a moment after the last
 * or when that has failed, and the first that succeeds ends the others.
 * @throws {Error} of the last, when none succeeded
 */
export function raceTo({ addresses, port, timeout }: RaceOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const under = new Set<Socket>()
    let next = 0
    let isOver = false
    let delay: NodeJS.Timeout | undefined
    let cause: unknown = new Error('no address')

    const attempt = (): void => {
      clearTimeout(delay)
      const address = addresses[next]
      next += 1
      if (address === undefined) return
      const socket = connect({ host: address, port, noDelay: true, keepAlive: true })
      under.add(socket)
      const timer = setTimeout(() => socket.destroy(new Error('no answer in time')), timeout)
      socket.once('error', (error) => {
        cause = error
      })
      const closed = (): void => {
        clearTimeout(timer)
        under.delete(socket)
        if (isOver) return
        if (next < addresses.length) attempt()
        else if (under.size === 0) lose()
      }
      socket.once('close', closed)
      socket.once('connect', () => {
        clearTimeout(timer)
        socket.off('close', closed)
        under.delete(socket)
        win(socket)
      })
      if (next < addresses.length) delay = setTimeout(attempt, attemptDelay)
    }
    const win = (socket: Socket): void => {
      isOver = true
      clearTimeout(delay)
      for (const other of under) other.destroy()
      resolve(socket)
    }
    const lose = (): void => {
      isOver = true
      reject(cause)
    }
    attempt()
  })
}
