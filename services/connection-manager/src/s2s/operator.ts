import { isListed, type Requests } from '@tactus/bus'
import type { HostDirectory } from '../host-directory.ts'
import type { Connection } from '../stream/connection.ts'
import type { StreamHandler } from '../stream/handler.ts'
import { IncomingStream } from './incoming.ts'
import { OutgoingStream } from './outgoing-stream.ts'

/** A pair of domains that a stream is of, or says it is. */
interface Pair {
  readonly local: string
  readonly remote: string
}

/** Ends the streams of which a pair fits; answers a line for each. */
export function closeStreams(
  connections: Iterable<Connection>,
  fits: (pair: Pair) => boolean,
): Requests['s2s.close']['output'] {
  return [...connections].flatMap((connection) => {
    const pair = pairsOf(connection).find(fits)
    if (!pair || !connection.isOpen) return []
    connection.finish('closed')
    const direction = connection.handler instanceof IncomingStream ? 'in' : 'out'
    return [{ local: pair.local, direction }]
  })
}

/** Whether a host has banned the other side of a pair. */
export function isBanned(hosts: HostDirectory, { local, remote }: Pair): boolean {
  return isListed(remote, hosts.hostOf(local)?.federation?.blocked ?? [])
}

/** The pairs of domains that whoever sends stanzas by a stream has proved. */
export function provedPairs(handler: StreamHandler): readonly Pair[] {
  if (handler instanceof OutgoingStream)
    return handler.isBidi && handler.authentication !== '' ? [handler] : []
  if (!(handler instanceof IncomingStream)) return []
  return Array.from(handler.pairs.keys(), (name) => {
    const [remote = '', local = ''] = name.split(' ')
    return { local, remote }
  })
}

function pairsOf({ handler }: Connection): readonly Pair[] {
  if (handler instanceof OutgoingStream) return [handler]
  if (!(handler instanceof IncomingStream)) return []
  const { local = '', remote = '' } = handler
  return [{ local, remote }, ...provedPairs(handler)]
}
