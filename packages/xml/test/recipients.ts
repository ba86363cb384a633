import { Parser } from '@xmpp/xml'
import sax from 'sax'
import { type XmlElement, xml } from '../src/index.ts'
import { header } from './corpus.ts'
import { readSaxes } from './oracle.ts'

/** Parsers that may sit at the other end: what we send, they must read as we do. */
export const recipients: Readonly<Record<string, (wire: string) => XmlElement | undefined>> = {
  saxes: (wire) => readSaxes(Buffer.from(header + wire)).elements[0],
  sax: readSax,
  ltx: readLtx,
}

function readLtx(wire: string): XmlElement | undefined {
  const parser = new Parser()
  let found: XmlElement | undefined
  parser.on('element', (element: XmlElement) => {
    found = element
  })
  parser.on('error', (error: Error) => {
    throw error
  })
  parser.write(header)
  parser.write(wire)
  return found
}

function readSax(wire: string): XmlElement | undefined {
  const parser = sax.parser(true, { xmlns: true })
  const open: XmlElement[] = []
  let found: XmlElement | undefined
  parser.onerror = (error) => {
    throw error
  }
  parser.ontext = (text) => {
    open.at(-1)?.t(text)
  }
  parser.onopentag = (tag) => {
    const { local, uri, attributes } = tag as sax.QualifiedTag
    const attrs: Record<string, string> = { xmlns: uri }
    for (const attribute of Object.values(attributes)) {
      if (attribute.prefix === 'xmlns' || attribute.name === 'xmlns') continue
      if (attribute.uri) attrs[`xmlns:${attribute.prefix}`] = attribute.uri
      attrs[attribute.name] = attribute.value
    }
    const element = xml(local, attrs)
    if (open.length > 1) open.at(-1)?.cnode(element)
    open.push(element)
  }
  parser.onclosetag = () => {
    const element = open.pop()
    if (open.length === 1) found = element
  }
  parser.write(header + wire)
  return found
}
