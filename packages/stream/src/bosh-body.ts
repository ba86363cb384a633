import { NS_CLIENT, NS_STREAMS } from '@tactus/stanza'
import { type ReaderLimits, Stanza, XmlError } from '@tactus/xml'
import { attribute } from './attribute.ts'

/** The namespace of `<body/>` (XEP-0124 §6). */
export const NS_BOSH = 'http://jabber.org/protocol/httpbind'
/** The namespace of what XMPP adds to its attributes (XEP-0206). */
export const NS_XBOSH = 'urn:xmpp:xbosh'

/** The body of a request, read and validated. */
export interface BoshBody {
  /** Unprefixed attributes, and `xml:lang`. */
  readonly attrs: Readonly<Record<string, string>>
  /** Whether a new stream is to begin (XEP-0206 §5). */
  readonly restart: boolean
  /** Version of XMPP that the client speaks. */
  readonly version: string | undefined
  readonly payload: readonly Stanza[]
  /** As it was sent. */
  readonly bytes: Uint8Array
}

/**
 * Reads what a client sent in one request (XEP-0124 §6).
 *
 * @throws {XmlError} for what is no `<body/>`, or more than the limits allow
 */
export function readBoshBody(bytes: Uint8Array, limits: ReaderLimits): BoshBody {
  const body = Stanza.parse(bytes, '', limits)
  if (body.name !== 'body' || body.ns !== NS_BOSH)
    throw new XmlError('invalid-namespace', 'the document is no body of BOSH')
  const { children } = body
  const empty = children.length === 0 ? body : body.without(() => true)
  const { attrs, children: text } = empty.element
  if (text.join('').trim() !== '') throw new XmlError('bad-format', 'text beside the elements')
  return {
    attrs: body.attrs,
    restart: isTrue(ofXmpp(attrs, 'restart')),
    version: ofXmpp(attrs, 'version'),
    payload: children.map((child) => {
      const stanza = body.extract(child)
      // XEP-0206 §2: many clients do not say the namespace of a stanza, and mean this one.
      return stanza.ns === NS_BOSH ? stanza.inNamespace(NS_CLIENT) : stanza
    }),
    bytes,
  }
}

/** What an answer says besides its payload. */
export type BoshAttributes = Readonly<Record<string, string | number | undefined>>

/**
 * Writes the body of an answer. Attributes that begin with `xmpp:` are XEP-0206's; what belongs to the stream itself
 * has the prefix `stream`, which is declared for it.
 */
export function writeBoshBody(attrs: BoshAttributes, payload: Uint8Array | string = ''): string {
  const text = typeof payload === 'string' ? payload : Buffer.from(payload).toString('utf8')
  const entries = Object.entries(attrs).filter(([, value]) => value !== undefined)
  const prefixes =
    (entries.some(([name]) => name.startsWith('xmpp:')) ? ` xmlns:xmpp='${NS_XBOSH}'` : '') +
    (text.includes('<stream:') ? ` xmlns:stream='${NS_STREAMS}'` : '')
  const head = entries.map(([name, value]) => attribute(name, String(value))).join('')
  const start = `<body xmlns='${NS_BOSH}'${prefixes}${head}`
  return text === '' ? `${start}/>` : `${start}>${text}</body>`
}

/** An attribute of XEP-0206, whatever prefix the client has chosen for them. */
function ofXmpp(attrs: Readonly<Record<string, unknown>>, name: string): string | undefined {
  for (const [key, value] of Object.entries(attrs)) {
    if (!key.startsWith('xmlns:') || value !== NS_XBOSH) continue
    const found = attrs[`${key.slice('xmlns:'.length)}:${name}`]
    if (found !== undefined) return String(found)
  }
  return undefined
}

/** A boolean of XML Schema. */
function isTrue(value: string | undefined): boolean {
  return value === 'true' || value === '1'
}
