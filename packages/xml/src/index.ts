export { clone, type XmlChild, type XmlElement, xml } from './element.ts'
export { equals } from './equals.ts'
export { escapeAttribute, escapeText } from './escape.ts'
export {
  clientLimits,
  documentLimits,
  preAuthLimits,
  type ReaderLimits,
  serverLimits,
} from './limits.ts'
export { NS_FRAMING, NS_STREAMS, NS_XML, namespaceOf } from './namespaces.ts'
export { parseElement } from './parse-element.ts'
export { serialize } from './serialize.ts'
export { type ChildSpan, Stanza } from './stanza.ts'
export type { StreamEvent, StreamHeader } from './stream-event.ts'
export { type Framing, StreamReader } from './stream-reader.ts'
export { XmlError, type XmlErrorCondition } from './xml-error.ts'
