import { strictBase64 } from './base64.ts'
import { SaslFailure } from './sasl-failure.ts'

/** RFC 5802 §7 `gs2-cbind-flag`: `n` none, `y` the client would, had we offered it. */
export type BindingFlag =
  | { readonly flag: 'n' | 'y' }
  | { readonly flag: 'p'; readonly name: string }

/** The first message of the client, taken apart. */
export interface ClientFirst {
  /** Up to and including the second comma; the client repeats it in its final message. */
  readonly gs2Header: string
  readonly binding: BindingFlag
  readonly authzid: string | undefined
  /** What follows the header; part of what both sides sign. */
  readonly bare: string
  readonly username: string
  readonly nonce: string
}

/** The final message of the client, taken apart. */
export interface ClientFinal {
  readonly bindingData: Uint8Array
  readonly nonce: string
  readonly proof: Uint8Array
  /** The message up to the proof; part of what both sides sign. */
  readonly withoutProof: string
}

const maxNonceLength = 256
// `printable` of §7: visible ASCII without the comma.
const nonceSyntax = /^[!-+\--~]+$/
const bindingNameSyntax = /^[A-Za-z0-9.-]{1,64}$/
const attributeSyntax = /^[A-Za-z]=/

/** @throws {SaslFailure} `malformed-request` */
export function parseClientFirst(message: string): ClientFirst {
  const [flag = '', authorization, ...rest] = message.split(',')
  if (authorization === undefined) malformed('has no GS2 header')
  const bare = rest.join(',')
  const [user = '', nonce = '', ...extensions] = rest
  // §5.1: m= announces extensions that must be understood; there are none.
  if (user.startsWith('m=')) malformed('demands an unknown extension')
  if (!extensions.every((extension) => attributeSyntax.test(extension)))
    malformed('has a broken extension')
  return {
    gs2Header: `${flag},${authorization},`,
    binding: parseBindingFlag(flag),
    authzid: authorization === '' ? undefined : parseName(authorization, 'a='),
    bare,
    username: parseName(user, 'n='),
    nonce: parseNonce(nonce),
  }
}

/** @throws {SaslFailure} `malformed-request` */
export function parseClientFinal(message: string): ClientFinal {
  const [binding = '', nonce = '', ...rest] = message.split(',')
  const proof = rest.pop() ?? ''
  if (!rest.every((extension) => attributeSyntax.test(extension)))
    malformed('has a broken extension')
  return {
    bindingData: parseBase64(binding, 'c='),
    nonce: parseNonce(nonce),
    proof: parseBase64(proof, 'p='),
    withoutProof: message.slice(0, message.length - proof.length - 1),
  }
}

function parseBindingFlag(flag: string): BindingFlag {
  if (flag === 'n' || flag === 'y') return { flag }
  const name = flag.slice(2)
  if (!flag.startsWith('p=') || !bindingNameSyntax.test(name))
    malformed('has no channel binding flag')
  return { flag: 'p', name }
}

/** §5.1 `saslname`: a comma is written `=2C`, an equals sign `=3D`, and nothing else is escaped. */
function parseName(attribute: string, prefix: string): string {
  const name = attribute.slice(prefix.length)
  const isName = attribute.startsWith(prefix) && name !== '' && !name.includes('\0')
  if (!isName || /=(?!2C|3D)/.test(name)) malformed('has no valid name')
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

function parseNonce(attribute: string): string {
  const nonce = attribute.slice(2)
  const isNonce = attribute.startsWith('r=') && nonceSyntax.test(nonce)
  if (!isNonce || nonce.length > maxNonceLength) malformed('has no valid nonce')
  return nonce
}

function parseBase64(attribute: string, prefix: string): Uint8Array {
  const data = attribute.startsWith(prefix)
    ? strictBase64(attribute.slice(prefix.length))
    : undefined
  if (!data || data.length === 0) malformed(`has no valid ${prefix} attribute`)
  return data
}

function malformed(problem: string): never {
  throw new SaslFailure('malformed-request', `The SCRAM message ${problem}.`)
}
