import { isIP, type Socket } from 'node:net'

/** HAProxy's PROXY protocol §2.2. */
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** §2.1: the longest line of version 1, with its end. */
const longestLine = 107
/** Addresses and what else is said of the connection in version 2; more than any proxy says. */
const longestBlock = 4_096
const noBytes = Buffer.alloc(0)

/** For whom a proxy speaks, and where its header ends. */
export interface ProxyHeader {
  /** `itself` where it speaks for nobody, as when it looks whether we are there. */
  readonly source: string
  readonly length: number
}

/** Reads the header at the beginning of a connection; undefined for what is none, `more` while it is incomplete. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | 'more' | undefined {
  const beginning = bytes.subarray(0, signature.length)
  if (signature.subarray(0, beginning.length).equals(beginning)) return parseBinary(bytes)
  return parseLine(bytes)
}

/** §2.1: one line for people. */
function parseLine(bytes: Buffer): ProxyHeader | 'more' | undefined {
  const text = bytes.subarray(0, longestLine).toString('latin1')
  const end = text.indexOf('\r\n')
  if (end < 0) {
    const begins = text.startsWith('PROXY ') || 'PROXY '.startsWith(text)
    return begins && bytes.length < longestLine ? 'more' : undefined
  }
  const [word, family, source = ''] = text.slice(0, end).split(' ')
  if (word !== 'PROXY') return undefined
  const length = end + 2
  if (family === 'UNKNOWN') return { source: 'itself', length }
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : undefined
  return version !== undefined && isIP(source) === version ? { source, length } : undefined
}

/** §2.2: for machines. */
function parseBinary(bytes: Buffer): ProxyHeader | 'more' | undefined {
  if (bytes.length < 16) return 'more'
  const command = bytes[12] as number
  const block = bytes.readUInt16BE(14)
  if (command >> 4 !== 2 || block > longestBlock) return undefined
  const length = 16 + block
  if (bytes.length < length) return 'more'
  // LOCAL: the proxy's own connection.
  if ((command & 0x0f) === 0) return { source: 'itself', length }
  if ((command & 0x0f) !== 1) return undefined
  const family = (bytes[13] as number) >> 4
  if (family === 1 && block >= 12) return { source: bytes.subarray(16, 20).join('.'), length }
  if (family === 2 && block >= 36) return { source: ipv6(bytes.subarray(16, 32)), length }
  return { source: 'itself', length }
}

function ipv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2))
  const [, , , , , marker, high = 0, low = 0] = groups
  const isMapped = marker === 0xffff && groups.slice(0, 5).every((group) => group === 0)
  if (isMapped) return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
  return groups.map((group) => group.toString(16)).join(':')
}

/**
 * Takes the header off a connection, and leaves what follows unread.
 *
 * `done` gets the client's address, `itself`, or undefined where there is no header; never, where the
 * connection ends before.
 */
export function readProxyHeader(socket: Socket, done: (source: string | undefined) => void): void {
  let read = noBytes
  const onReadable = (): void => {
    for (let chunk = socket.read() as Buffer | null; chunk; chunk = socket.read())
      read = Buffer.concat([read, chunk])
    const header = parseProxyHeader(read)
    if (header === 'more') return
    socket.off('readable', onReadable)
    if (header && read.length > header.length) socket.unshift(read.subarray(header.length))
    done(header?.source)
  }
  socket.on('readable', onReadable)
}
