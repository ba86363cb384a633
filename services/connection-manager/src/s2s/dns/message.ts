/** Types of records that other servers are found by (RFC 1035 §3.2.2, RFC 2782, RFC 6698). */
export const recordTypes = { a: 1, cname: 5, soa: 6, aaaa: 28, srv: 33, opt: 41, tlsa: 52 } as const

/** One record of an answer. */
export interface DnsRecord {
  readonly name: string
  readonly type: number
  /** Seconds for which it holds. */
  readonly ttl: number
  /** Where its data are in {@link DnsMessage.bytes}. */
  readonly from: number
  readonly to: number
}

/** What a name server said. */
export interface DnsMessage {
  readonly bytes: Buffer
  readonly id: number
  readonly isResponse: boolean
  readonly isTruncated: boolean
  /** It says that it has verified all of this by DNSSEC (RFC 4035 §3.2.3); worth as much as the way to it. */
  readonly isAuthenticated: boolean
  /** 0: there may be answers; 3: there is no such name; others: it could not tell. */
  readonly code: number
  readonly question: { readonly name: string; readonly type: number } | undefined
  readonly answers: readonly DnsRecord[]
  readonly authorities: readonly DnsRecord[]
}

/** What is no message of the DNS. */
export class MalformedAnswer extends Error {}

const headerLength = 12
const classInternet = 1
/** Most records that are looked at. */
const mostRecords = 256
/** RFC 6891 §6.2.5: what fits everywhere in one packet (DNS Flag Day 2020). */
const payloadSize = 1_232

/** A question that asks for recursion and to be told whether the answer is authentic (RFC 6840 §5.7). */
export function encodeQuestion(id: number, name: string, type: number): Buffer {
  const header = Buffer.alloc(headerLength)
  header.writeUInt16BE(id, 0)
  header.writeUInt16BE(0x0120, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(1, 10)
  const kind = Buffer.alloc(4)
  kind.writeUInt16BE(type, 0)
  kind.writeUInt16BE(classInternet, 2)
  const extended = Buffer.alloc(11)
  extended.writeUInt16BE(recordTypes.opt, 1)
  extended.writeUInt16BE(payloadSize, 3)
  return Buffer.concat([header, encodeName(name), kind, extended])
}

/** @throws {MalformedAnswer} */
export function decodeMessage(bytes: Buffer): DnsMessage {
  try {
    return decode(bytes)
  } catch (cause) {
    if (cause instanceof MalformedAnswer) throw cause
    throw new MalformedAnswer('the answer is cut off', { cause })
  }
}

function decode(bytes: Buffer): DnsMessage {
  const flags = bytes.readUInt16BE(2)
  const [questions, answers, authorities] = [4, 6, 8].map((at) => bytes.readUInt16BE(at))
  let at = headerLength
  let question: DnsMessage['question']
  for (let left = questions ?? 0; left > 0; left -= 1) {
    const { name, end } = readName(bytes, at)
    question ??= { name, type: bytes.readUInt16BE(end) }
    at = end + 4
  }
  const first = readRecords(bytes, at, answers ?? 0)
  const second = readRecords(bytes, first.end, authorities ?? 0)
  return {
    bytes,
    id: bytes.readUInt16BE(0),
    isResponse: (flags & 0x8000) !== 0,
    isTruncated: (flags & 0x0200) !== 0,
    isAuthenticated: (flags & 0x0020) !== 0,
    code: flags & 0x000f,
    question,
    answers: first.records,
    authorities: second.records,
  }
}

function readRecords(
  bytes: Buffer,
  from: number,
  count: number,
): { readonly records: readonly DnsRecord[]; readonly end: number } {
  if (count > mostRecords) throw new MalformedAnswer('the answer has too many records')
  const records: DnsRecord[] = []
  let at = from
  for (let left = count; left > 0; left -= 1) {
    const { name, end } = readName(bytes, at)
    const length = bytes.readUInt16BE(end + 8)
    const to = end + 10 + length
    if (to > bytes.length) throw new MalformedAnswer('a record is cut off')
    // RFC 2181 §8: a time with the highest bit set is none.
    const ttl = bytes.readUInt32BE(end + 4)
    const type = bytes.readUInt16BE(end)
    records.push({ name, type, ttl: ttl > 0x7fffffff ? 0 : ttl, from: end + 10, to })
    at = to
  }
  return { records, end: at }
}

/**
 * RFC 1035 §4.1.4: labels, or a pointer to where they stand already; backwards only, so that no answer is without end.
 * @throws {MalformedAnswer} @throws {RangeError}
 */
export function readName(
  bytes: Buffer,
  from: number,
): { readonly name: string; readonly end: number } {
  const labels: string[] = []
  let at = from
  let end: number | undefined
  let before = from
  for (let size = bytes.readUInt8(at); size > 0; size = bytes.readUInt8(at)) {
    if (size >= 0xc0) {
      end ??= at + 2
      at = bytes.readUInt16BE(at) & 0x3fff
      if (at >= before) throw new MalformedAnswer('a name leads in a circle')
      before = at
      continue
    }
    if (size > 63 || labels.length >= 128) throw new MalformedAnswer('a name is too long')
    labels.push(bytes.toString('latin1', at + 1, at + 1 + size).toLowerCase())
    at += size + 1
  }
  return { name: labels.join('.'), end: end ?? at + 1 }
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label, 'utf8')
    if (bytes.length > 63) throw new MalformedAnswer(`${name} is no name`)
    return Buffer.concat([Buffer.from([bytes.length]), bytes])
  })
  const encoded = Buffer.concat([...parts, Buffer.from([0])])
  if (encoded.length > 255) throw new MalformedAnswer(`${name} is no name`)
  return encoded
}
