import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** RFC 6455 §1.3. */
const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** A refusal in the words of HTTP. */
export interface Refusal {
  readonly status: number
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What a page's origin is judged by. */
export interface OriginPolicy {
  readonly origins: readonly string[]
}

/** Judges the opening hand-shake (RFC 6455 §4.2.1, RFC 7395 §3.1). */
export function judgeUpgrade(
  { method, headers }: Pick<IncomingMessage, 'headers' | 'method'>,
  { origins }: OriginPolicy,
): { readonly key: string } | Refusal {
  if (method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket')
    return { status: 400, text: 'WebSocket is what is spoken here.' }
  if (headers['sec-websocket-version'] !== '13')
    return { status: 426, text: 'Version 13 only.', headers: { 'Sec-WebSocket-Version': '13' } }
  const key = headers['sec-websocket-key'] ?? ''
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key)) return { status: 400, text: 'That is no key.' }
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  if (!offered.includes('xmpp')) return { status: 400, text: 'The subprotocol here is xmpp.' }
  // V15: programs other than browsers send none, and nothing is theirs to protect a page from.
  const { origin } = headers
  if (origin !== undefined && !origins.includes('*') && !origins.includes(origin.toLowerCase()))
    return { status: 403, text: 'Scripts of this page may not connect.' }
  return { key }
}

/** The answer that turns HTTP into WebSocket; no extension is ever agreed on. */
export function upgradeResponse(key: string): string {
  const accept = createHash('sha1')
    .update(key + magic)
    .digest('base64')
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    'Sec-WebSocket-Protocol: xmpp',
    '\r\n',
  ].join('\r\n')
}

/** A refusal as it goes over the wire, after which the connection is closed. */
export function refusalResponse({ status, text, headers = {} }: Refusal, reason: string): string {
  const body = `${text}\n`
  return [
    `HTTP/1.1 ${status} ${reason}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n')
}
