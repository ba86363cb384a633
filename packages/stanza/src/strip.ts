import { type ChildSpan, parseElement, type Stanza, type XmlElement } from '@tactus/xml'

/**
 * Cuts every direct child of that name that the predicate accepts.
 *
 * SECURITY: every one, not the first. Servers that removed only the first copy of what they assert
 * themselves let the second one, a forgery, through.
 */
export function withoutChildren(
  stanza: Stanza,
  { name, ns }: { readonly name: string; readonly ns: string },
  predicate: (child: XmlElement) => boolean,
): Stanza {
  if (!stanza.hasChild(name, ns)) return stanza
  const matches = (span: ChildSpan): boolean =>
    span.name === name && span.ns === ns && predicate(childAt(stanza, span))
  return stanza.without(matches)
}

/** All direct children of that name, each as a tree of its own. */
export function childrenOf(stanza: Stanza, name: string, ns: string): XmlElement[] {
  return stanza.children
    .filter((span) => span.name === name && span.ns === ns)
    .map((span) => childAt(stanza, span))
}

function childAt(stanza: Stanza, span: ChildSpan): XmlElement {
  return parseElement(stanza.bytes.subarray(span.start, span.end), stanza.ns)
}
