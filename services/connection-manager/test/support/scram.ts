import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import type { ChannelBinding } from '@tactus/sasl'
import { password, type RawClient } from './client.ts'

const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'

/** How a SCRAM exchange is run. */
export interface ScramOptions {
  readonly username: string
  readonly binding?: ChannelBinding
  /** `n`, `y` or `p=<name>`; what the mechanism asks for when absent. */
  readonly flag?: string
}

const encode = (text: string | Uint8Array): string => Buffer.from(text).toString('base64')

/** The final messages of RFC 5802 §3: what we prove, and what the server has to. */
function proof(
  mechanism: string,
  {
    bare,
    header,
    first,
    binding,
  }: Record<'bare' | 'header' | 'first', string> & Pick<ScramOptions, 'binding'>,
): { readonly message: string; readonly expected: string } {
  const hash = (/SHA-\d+/.exec(mechanism)?.[0] ?? '').replace('-', '').toLowerCase()
  const hmac = (key: Uint8Array, text: string): Buffer =>
    createHmac(hash, key).update(text).digest()
  const [, nonce, salt = '', iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(first) ?? []
  const bound = Buffer.concat([Buffer.from(header), binding?.data ?? Buffer.alloc(0)])
  const message = `c=${encode(bound)},r=${nonce}`
  const signed = `${bare},${first},${message}`
  const length = createHash(hash).digest().length
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), length, hash)
  const clientKey = hmac(salted, 'Client Key')
  const signature = hmac(createHash(hash).update(clientKey).digest(), signed)
  const xored = clientKey.map((byte, at) => byte ^ (signature[at] ?? 0))
  const expected = `v=${encode(hmac(hmac(salted, 'Server Key'), signed))}`
  return { message: `${message},p=${encode(xored)}`, expected }
}

/** Runs one SCRAM exchange on an open stream; resolves with `success`, or with what came instead. */
export async function scram(
  client: RawClient,
  mechanism: string,
  { username, binding, flag }: ScramOptions,
): Promise<string> {
  const header = `${flag ?? (binding ? `p=${binding.type}` : 'n')},,`
  const bare = `n=${username},r=fyko+d2lbbFgONRv9qkxdawL`
  client.send(`<auth xmlns='${NS_SASL}' mechanism='${mechanism}'>${encode(header + bare)}</auth>`)
  const challenge = await content(client, 'challenge')
  if (challenge.startsWith('<')) return challenge
  const { message, expected } = proof(mechanism, {
    bare,
    header,
    first: challenge,
    ...(binding && { binding }),
  })
  client.send(`<response xmlns='${NS_SASL}'>${encode(message)}</response>`)
  const outcome = await content(client, 'success')
  if (outcome.startsWith('<')) return outcome
  return outcome === expected ? 'success' : 'forged'
}

/** What the element says, decoded; the whole `<failure/>` where that came. */
async function content(client: RawClient, name: string): Promise<string> {
  const start = await client.until('>')
  if (!start.startsWith(`<${name}`)) return start + (await client.until('</failure>'))
  const text = (await client.until(`</${name}>`)).replace(`</${name}>`, '')
  return Buffer.from(text, 'base64').toString()
}
