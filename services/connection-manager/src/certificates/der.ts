/*
 * The little of ASN.1's DER (X.690) that a certificate of our own needs. Writing only: nothing from
 * the network is read here.
 */

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  generalizedTime: 0x18,
  utcTime: 0x17,
} as const

/** One value with its tag; `tag` as a number for those that a context defines. */
export function der(tag: keyof typeof tags | number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  const number = typeof tag === 'number' ? tag : tags[tag]
  return Buffer.concat([Buffer.from([number]), length(body.length), body])
}

function length(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.from([bytes])
  const digits: number[] = []
  for (let rest = bytes; rest > 0; rest >>>= 8) digits.unshift(rest & 0xff)
  return Buffer.from([0x80 | digits.length, ...digits])
}

/** `1.2.840.10045.4.3.2` */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const groups = [arc & 0x7f]
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80)
    bytes.push(...groups)
  }
  return der('oid', Buffer.from(bytes))
}

export function boolean(value: boolean): Buffer {
  return der('boolean', Buffer.from([value ? 0xff : 0]))
}

/** A positive integer, given as its bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const isNegative = ((bytes[0] ?? 0) & 0x80) !== 0
  return der('integer', isNegative ? Buffer.from([0]) : Buffer.alloc(0), bytes)
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return der('bitString', Buffer.from([unusedBits]), bytes)
}

export function utf8String(text: string): Buffer {
  return der('utf8String', Buffer.from(text, 'utf8'))
}

/** A moment; RFC 5280 §4.1.2.5 wants the short form until 2049. */
export function time(at: Date): Buffer {
  const digits = at.toISOString().replace(/[-:T]/g, '').slice(0, 14)
  return at.getUTCFullYear() < 2050
    ? der('utcTime', Buffer.from(`${digits.slice(2)}Z`, 'latin1'))
    : der('generalizedTime', Buffer.from(`${digits}Z`, 'latin1'))
}
