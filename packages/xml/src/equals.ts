import { Element } from '@xmpp/xml'
import type { XmlElement } from './element.ts'
import { namespaceOf } from './namespaces.ts'

/** An element to compare, and what an `xmlns` left out means there. */
interface Side {
  readonly element: XmlElement
  readonly defaultNs: string
}

/**
 * Do two elements mean the same? Prefixes, the order of attributes, and how text is split into
 * children make no difference; names are compared with their namespaces.
 */
export function equals(a: XmlElement, b: XmlElement): boolean {
  const pending: [Side, Side][] = [[sideOf(a), sideOf(b)]]
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [left, right] = next
    if (qualifiedName(left) !== qualifiedName(right)) return false
    if (attributesOf(left) !== attributesOf(right)) return false
    if (!pairContent(contentOf(left), contentOf(right), pending)) return false
  }
  return true
}

type Content = readonly (Side | string)[]

/** Compares text, and leaves elements to be compared. */
function pairContent(ours: Content, theirs: Content, pending: [Side, Side][]): boolean {
  if (ours.length !== theirs.length) return false
  return ours.every((x, index) => {
    const y = theirs[index]
    if (typeof x === 'string' || typeof y !== 'object') return x === y
    pending.push([x, y])
    return true
  })
}

function sideOf(element: XmlElement): Side {
  return { element, defaultNs: namespaceOf(element, '') ?? '' }
}

/** `{namespace}name`. An unprefixed attribute is in no namespace, an element in the default one. */
function qualified(element: XmlElement, name: string, unprefixed: string): string {
  const colon = name.indexOf(':')
  const ns = colon < 0 ? unprefixed : namespaceOf(element, name.slice(0, colon))
  return `{${ns ?? ''}}${name.slice(colon + 1)}`
}

function qualifiedName({ element, defaultNs }: Side): string {
  return qualified(element, element.name, defaultNs)
}

function attributesOf({ element }: Side): string {
  return Object.entries(element.attrs)
    .filter(([key, value]) => value !== undefined && value !== null && !isDeclaration(key))
    .map(([key, value]) => JSON.stringify([qualified(element, key, ''), String(value)]))
    .sort()
    .join()
}

function isDeclaration(name: string): boolean {
  return name === 'xmlns' || name.startsWith('xmlns:')
}

function contentOf({ element, defaultNs }: Side): Content {
  const content: (Side | string)[] = []
  for (const child of element.children as unknown[]) {
    if (child instanceof Element)
      content.push({ element: child, defaultNs: inside(child, defaultNs) })
    else if (child !== undefined && child !== null) addText(content, String(child))
  }
  return content
}

function inside(child: XmlElement, defaultNs: string): string {
  const own: unknown = Object.hasOwn(child.attrs, 'xmlns') ? child.attrs.xmlns : undefined
  return own === undefined || own === null ? defaultNs : String(own)
}

function addText(content: (Side | string)[], text: string): void {
  const last = content.at(-1)
  if (typeof last === 'string') content[content.length - 1] = last + text
  else if (text !== '') content.push(text)
}
