import { Element } from '@xmpp/xml'
import { isNcName, isTrimmed } from './characters.ts'
import { escapeAttribute, escapeText } from './escape.ts'
import { NS_XML, NS_XMLNS, namespaceOf } from './namespaces.ts'

/** An element that is being written: its children from `next` on are still to come. */
interface Open {
  readonly element: Element
  readonly name: string
  readonly ns: string
  /** What unprefixed children are in; differs from `ns` where the element itself has a prefix. */
  readonly defaultNs: string
  next: number
}

/**
 * Writes an element canonically: default namespaces only, `'` around attributes, the five named
 * entities, and a prefix only where an attribute needs one. Every parser reads this the same way.
 *
 * @param inheritedNs the default namespace where the text will stand; '' when it stands alone
 * @throws {TypeError} for what is not XML: names, characters, unbound prefixes, doubled attributes
 */
export function serialize(element: Element, inheritedNs = ''): string {
  const root = opened(element, namespaceOf(element, '') ?? inheritedNs)
  let out = startTag(root, inheritedNs)
  const open: Open[] = [root]
  for (let top = open.at(-1); top; top = open.at(-1)) {
    const { children } = top.element
    if (top.next >= children.length) {
      open.pop()
      if (children.length > 0) out += `</${top.name}>`
      continue
    }
    const child: unknown = children[top.next++]
    if (child instanceof Element) {
      const inner = opened(child, ownDefault(child) ?? top.defaultNs)
      out += startTag(inner, top.ns)
      open.push(inner)
    } else out += escapeText(String(child ?? ''))
  }
  return out
}

function ownDefault(element: Element): string | undefined {
  const own: unknown = Object.hasOwn(element.attrs, 'xmlns') ? element.attrs.xmlns : undefined
  return own === undefined || own === null ? undefined : String(own)
}

function opened(element: Element, defaultNs: string): Open {
  const colon = element.name.indexOf(':')
  const name = checkedName(colon < 0 ? element.name : element.name.slice(colon + 1))
  const ns = colon < 0 ? defaultNs : boundNamespace(element, element.name.slice(0, colon))
  if (ns === NS_XML || ns === NS_XMLNS) throw new TypeError('element in a reserved namespace')
  return { element, name, ns, defaultNs, next: 0 }
}

function checkedName(name: string): string {
  if (!isNcName(name)) throw new TypeError('name is not XML')
  return name
}

function boundNamespace(element: Element, prefix: string): string {
  const ns = namespaceOf(element, prefix)
  if (!ns) throw new TypeError('prefix is not bound')
  if (ns === NS_XML || ns === NS_XMLNS) throw new TypeError('prefix of a reserved namespace')
  return ns
}

function startTag({ element, name, ns }: Open, parentNs: string): string {
  const { attrs } = element
  let tag = ns === parentNs ? `<${name}` : `<${name} xmlns='${escapeNamespace(ns)}'`
  let qualified: Set<string> | undefined
  for (const key of Object.keys(attrs)) {
    const value: unknown = attrs[key]
    if (value === undefined || value === null || isDeclaration(key)) continue
    if (isForeign(key)) {
      qualified ??= new Set()
      tag += declare(element, key, qualified)
    } else checkedName(key.startsWith('xml:') ? key.slice(4) : key)
    tag += ` ${key}='${escapeAttribute(String(value))}'`
  }
  return element.children.length === 0 ? `${tag}/>` : `${tag}>`
}

/** Written so that the scanner takes it back, which refuses white space around a namespace. */
function escapeNamespace(ns: string): string {
  if (!isTrimmed(ns)) throw new TypeError('namespace with white space')
  return escapeAttribute(ns)
}

function isDeclaration(key: string): boolean {
  return key === 'xmlns' || key.startsWith('xmlns:')
}

function isForeign(key: string): boolean {
  return key.includes(':') && !key.startsWith('xml:')
}

/** The declaration that a prefixed attribute needs; once for each prefix of an element. */
function declare(element: Element, key: string, seen: Set<string>): string {
  const colon = key.indexOf(':')
  const prefix = checkedName(key.slice(0, colon))
  const local = checkedName(key.slice(colon + 1))
  const ns = boundNamespace(element, prefix)
  // Neither a prefix nor a local name holds a space, so the two kinds of entry do not meet.
  if (seen.has(`${local} ${ns}`)) throw new TypeError('attribute is doubled')
  seen.add(`${local} ${ns}`)
  if (seen.has(prefix)) return ''
  seen.add(prefix)
  return ` xmlns:${prefix}='${escapeNamespace(ns)}'`
}
