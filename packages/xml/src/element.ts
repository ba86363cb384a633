import { Element } from '@xmpp/xml'
import { attributes } from './attributes.ts'
import { namespaceOf } from './namespaces.ts'
import { serialize } from './serialize.ts'

/**
 * The element of `@xmpp/xml`: what modules build and read.
 *
 * Names are local names and `attrs.xmlns` stands where the namespace differs from the parent's.
 */
export type XmlElement = Element

/** What `xml()` takes as content; what is empty or false is left out. */
export type XmlChild = XmlElement | string | undefined | null | false | readonly XmlChild[]

/**
 * An `Element` that is safe to hold hostile input: its attributes inherit nothing, `xmlns=''` counts
 * as a namespace, and neither looking up a namespace nor writing recurses, however deep the tree is.
 */
export class SafeElement extends Element {
  constructor(name: string, attrs: Record<string, string> = attributes()) {
    super(name)
    this.attrs = attrs
  }

  override findNS(prefix?: string): string | undefined {
    return namespaceOf(this, prefix ?? '')
  }

  override getXmlns(): Record<string, string> {
    const found = attributes()
    for (let at: XmlElement | null = this; at; at = at.parent) {
      for (const [key, value] of Object.entries(at.attrs)) {
        if (key === 'xmlns') found[value] ??= ''
        else if (key.startsWith('xmlns:')) found[value] ??= key.slice(6)
      }
    }
    return found
  }

  override root(): XmlElement {
    let at: XmlElement = this
    while (at.parent) at = at.parent
    return at
  }

  override tree(): XmlElement {
    return this.root()
  }

  override c(name: string, attrs?: Readonly<Record<string, string | undefined>>): XmlElement {
    return this.cnode(xml(name, attrs))
  }

  override toString(): string {
    return serialize(this)
  }

  override write(writer: (part: string) => void): void {
    writer(serialize(this))
  }

  override setAttrs(attrs: string | Record<string, unknown>): void {
    if (typeof attrs === 'string') this.attrs.xmlns = attrs
    else for (const [key, value] of Object.entries(attrs ?? {})) this.attrs[key] = value
  }
}

/**
 * Builds an element: `xml('body', null, 'Hello')`.
 *
 * `attrs` may hold `xmlns`; attributes that are undefined, and children that are empty, are left out.
 */
export function xml(
  name: string,
  attrs?: Readonly<Record<string, string | undefined>> | null,
  ...children: readonly XmlChild[]
): XmlElement {
  const own = attributes()
  for (const key in attrs) {
    const value = attrs[key]
    if (value !== undefined && value !== null) own[key] = value
  }
  const element = new SafeElement(name, own)
  for (const child of children) add(element, child)
  return element
}

function add(element: XmlElement, child: XmlChild): void {
  if (child === undefined || child === null || child === false || child === '') return
  if (typeof child === 'string' || child instanceof Element) element.cnode(child)
  else for (const inner of child) add(element, inner)
}

/** An independent copy, whose namespace does not depend on where the original was. */
export function clone(element: XmlElement): XmlElement {
  const copy = copyOf(element)
  const ns = namespaceOf(element, '')
  if (ns !== undefined) copy.attrs.xmlns = ns
  const pending: [XmlElement, XmlElement][] = [[element, copy]]
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [from, to] = next
    for (const child of from.children) {
      if (!(child instanceof Element)) {
        to.children.push(child)
        continue
      }
      const inner = to.cnode(copyOf(child))
      pending.push([child, inner])
    }
  }
  return copy
}

function copyOf(element: XmlElement): XmlElement {
  return new SafeElement(element.name, Object.assign(attributes(), element.attrs))
}
