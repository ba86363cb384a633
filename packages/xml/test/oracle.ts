import { SaxesParser } from 'saxes'
import {
  type Stanza,
  StreamReader,
  serverLimits,
  type XmlElement,
  XmlError,
  xml,
} from '../src/index.ts'

/** What a parser made of a stream. */
export interface Reading {
  /** Undefined when it was accepted. */
  readonly fault: string | undefined
  /** Did the stream end where the bytes end? Saxes notices some faults only then. */
  readonly complete?: boolean
  /** Bytes of an element that is not complete. */
  readonly pending?: number
  /** Complete first-level elements before the fault, if any. */
  readonly elements: readonly XmlElement[]
}

/** The first-level elements that ours reads before the first fault. */
export function stanzasOf(bytes: Uint8Array): readonly Stanza[] {
  const { events } = pushed(new StreamReader({ limits: serverLimits }), bytes)
  return events.flatMap((event) => (event.kind === 'stanza' ? [event.stanza] : []))
}

/** Reads a stream with ours, cut into chunks of `size` bytes. */
export function readOurs(bytes: Uint8Array, size: number = bytes.length): Reading {
  const reader = new StreamReader({ limits: serverLimits })
  const elements: XmlElement[] = []
  let fault: string | undefined
  for (let at = 0; at < bytes.length && fault === undefined; at += size) {
    const { events, error } = pushed(reader, bytes.slice(at, at + size))
    fault = error
    for (const event of events) if (event.kind === 'stanza') elements.push(event.stanza.element)
  }
  return { fault, elements, pending: reader.buffered }
}

function pushed(reader: StreamReader, chunk: Uint8Array) {
  try {
    return { events: reader.push(chunk), error: undefined }
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    return { events: error.events, error: error.condition }
  }
}

/** Reads the same with saxes behind a strict decoder: the strictest pair that the field has. */
export function readSaxes(bytes: Uint8Array): Reading {
  const elements: XmlElement[] = []
  const { text, whole } = decode(bytes)
  try {
    const complete = feedSaxes(text, elements)
    return whole ? { fault: undefined, elements, complete } : { fault: 'not UTF-8', elements }
  } catch (error) {
    return { fault: String(error), elements }
  }
}

/** The text up to the first byte that is not UTF-8. */
function decode(bytes: Uint8Array): { text: string; whole: boolean } {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let text = ''
  try {
    for (const byte of bytes) text += decoder.decode(Uint8Array.of(byte), { stream: true })
    return { text, whole: true }
  } catch {
    return { text, whole: false }
  }
}

function feedSaxes(text: string, elements: XmlElement[]): boolean {
  const parser = new SaxesParser({ xmlns: true })
  const open: XmlElement[] = []
  const refuse = (): never => {
    throw new Error('restricted-xml')
  }
  parser.on('error', (error) => {
    throw error
  })
  parser.on('comment', refuse)
  parser.on('doctype', refuse)
  parser.on('processinginstruction', refuse)
  parser.on('text', (content) => {
    // RFC 6120 §4.6.1: between stanzas, nothing but white space.
    if (open.length === 1 && /[^ \t\r\n]/.test(content)) refuse()
    open.at(-1)?.t(content)
  })
  parser.on('cdata', (content) => {
    if (open.length === 1) refuse()
    open.at(-1)?.t(content)
  })
  parser.on('opentag', (tag) => {
    const attrs: Record<string, string> = { __proto__: null } as never
    attrs.xmlns = tag.uri
    for (const { name, prefix, uri, value } of Object.values(tag.attributes)) {
      if (prefix === 'xmlns' || name === 'xmlns') continue
      if (prefix !== '' && prefix !== 'xml') attrs[`xmlns:${prefix}`] = uri
      attrs[name] = value
    }
    const element = xml(tag.local, attrs)
    if (open.length > 1) open.at(-1)?.cnode(element)
    open.push(element)
  })
  parser.on('closetag', () => {
    const element = open.pop()
    if (element && open.length === 1) elements.push(element)
  })
  parser.write(text)
  try {
    parser.close()
    return true
  } catch {
    return false
  }
}
