import { SaslFailure } from './sasl-failure.ts'

/**
 * Decodes the content of `<auth/>` or `<response/>` (RFC 6120 §6.4.2): `=` stands for data of zero
 * length, which an empty element cannot say in `<auth/>`.
 *
 * Strict: the text must be the one encoding of its data, so no white space, no other alphabet, no
 * missing or superfluous padding, no stray bits.
 *
 * @throws {SaslFailure} `incorrect-encoding`
 */
export function decodeBase64(text: string): Uint8Array {
  if (text === '=') return new Uint8Array()
  const data = strictBase64(text)
  if (!data) throw new SaslFailure('incorrect-encoding', 'The data is not in Base64.')
  return data
}

/** The data, or undefined when the text is not its canonical encoding (RFC 4648 §3.5). */
export function strictBase64(text: string): Uint8Array | undefined {
  const data = Buffer.from(text, 'base64')
  return data.toString('base64') === text ? data : undefined
}

/** Base64 of binary data (RFC 4648 §4). */
export function encodeBase64(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of a SASL message. @throws {SaslFailure} `malformed-request` when not UTF-8. */
export function decodeUtf8(data: Uint8Array): string {
  try {
    return utf8.decode(data)
  } catch (cause) {
    throw new SaslFailure('malformed-request', 'The message is not in UTF-8.', { cause })
  }
}
