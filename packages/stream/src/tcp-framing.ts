import { NS_CLIENT, NS_COMPONENT, NS_DIALBACK, NS_SERVER, NS_STREAMS } from '@tactus/stanza'
import { StreamReader, serialize, type XmlElement } from '@tactus/xml'
import { attribute } from './attribute.ts'
import type { Framing, StreamInput } from './framing.ts'

/** RFC 6120 §4.6.1: white space between first-level elements. */
const space = Buffer.from(' ')

/** The reader itself; TCP says by its own means that nothing follows. */
class TcpInput extends StreamReader implements StreamInput {
  readonly isOver = false
}

/**
 * RFC 6120 §4: a stream is one document, whose root declares the content namespace for all.
 *
 * What belongs to the stream itself is written with the prefix `stream` (§4.8.5).
 */
export function tcpFraming(contentNs: string = NS_CLIENT): Framing {
  // XEP-0220 §2: its elements carry the prefix that the header declares, and old servers know no other than this.
  const dialback = contentNs === NS_SERVER ? ` xmlns:db='${NS_DIALBACK}'` : ''
  // XEP-0114 §3: it is older than XMPP 1.0, and a version would promise features that never come.
  const version = contentNs === NS_COMPONENT ? '' : " version='1.0' xml:lang='en'"
  return {
    name: 'tcp',
    isAnswered: false,
    keepAlive: space,
    input: (limits) => new TcpInput({ limits }),
    open: ({ from, to, id }) =>
      `<?xml version='1.0'?><stream:stream xmlns='${contentNs}' xmlns:stream='${NS_STREAMS}'${dialback}${attribute('id', id)}${attribute('from', from)}${attribute('to', to)}${version}>`,
    element(element) {
      if (dialback !== '' && element.attrs.xmlns === NS_DIALBACK) return prefixed(element)
      if (element.attrs.xmlns !== NS_STREAMS) return serialize(element, contentNs)
      const inner = element.children
        .map((child) => (typeof child === 'string' ? child : serialize(child, contentNs)))
        .join('')
      return `<stream:${element.name}>${inner}</stream:${element.name}>`
    },
    stanza: (stanza) => stanza.wire(contentNs),
    close: () => '</stream:stream>',
    message: (payload) => payload,
    end: () => undefined,
  }
}

/** `<result xmlns='jabber:server:dialback' …>` as `<db:result …>`. */
function prefixed(element: XmlElement): string {
  const { name } = element
  const text = serialize(element)
  const start = `<${name} xmlns='${NS_DIALBACK}'`
  const end = `</${name}>`
  const body = text.slice(start.length)
  const closed = body.endsWith(end) ? `${body.slice(0, -end.length)}</db:${name}>` : body
  return `<db:${name}${closed}`
}
