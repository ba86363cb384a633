import { isTrimmed } from './characters.ts'
import { NS_XML, NS_XMLNS } from './namespaces.ts'
import type { Tag } from './tag.ts'
import { exceeded, malformed, XmlError, type XmlErrorCondition } from './xml-error.ts'

/** The namespaces that are declared where the scanner is (Namespaces in XML §6). */
export class Scope {
  /** Did the last tag declare or use namespaces in another way than the canonical one? */
  odd = false
  /** Does the last element have an `xmlns` of its own? */
  declaresDefault = false
  /** The stream error for a prefix that nothing declares. */
  unbound: XmlErrorCondition = 'not-well-formed'

  #level = 0
  readonly #defaults: string[] = ['']
  /** How many prefixes were known before the element of a level began. */
  readonly #marks: number[] = [0]
  readonly #prefixes: string[] = []
  readonly #uris: string[] = []

  /** Forgets everything. `defaultNs` is what an outermost element without `xmlns` is in. */
  reset(defaultNs: string): void {
    this.#level = 0
    this.#defaults[0] = defaultNs
    this.#prefixes.length = 0
    this.#uris.length = 0
  }

  get defaultNs(): string {
    return this.#defaults[this.#level] as string
  }

  /** The prefixes in scope; an inner declaration hides an outer one. */
  get prefixes(): Map<string, string> {
    return new Map(this.#prefixes.map((prefix, index) => [prefix, this.#uris[index] as string]))
  }

  /**
   * Goes into the element whose start tag this is, and says which namespace it is in.
   *
   * @throws {XmlError} when its prefixes or declarations are not namespace-well-formed
   */
  enter(tag: Tag, buffer: Buffer, base: number, limit: number): string {
    const outer = this.#defaults[this.#level] as string
    const level = this.#level + 1
    this.#level = level
    this.#marks[level] = this.#prefixes.length
    this.declaresDefault = tag.xmlns >= 0
    let ns = outer
    if (tag.xmlns >= 0) {
      ns = namespaceName(tag.valueAt(buffer, base, tag.xmlns))
      if (ns === NS_XML || ns === NS_XMLNS) malformed('reserved namespace')
    }
    this.#defaults[level] = ns
    this.odd = tag.prefixed || (tag.xmlns >= 0 && ns === outer)
    return tag.prefixed ? this.#qualify(tag, buffer, base, limit) : ns
  }

  leave(): void {
    const known = this.#marks[this.#level] as number
    if (this.#prefixes.length > known) {
      this.#prefixes.length = known
      this.#uris.length = known
    }
    this.#level -= 1
  }

  #qualify(tag: Tag, buffer: Buffer, base: number, limit: number): string {
    const names: string[] = []
    for (let index = 0; index < tag.count; index++) {
      const name = tag.nameAt(buffer, base, index)
      if (name.startsWith('xmlns:')) {
        this.#declare(name.slice(6), namespaceName(tag.valueAt(buffer, base, index)))
        if (this.#prefixes.length > limit) exceeded('namespaces')
      } else if (name.includes(':')) names.push(name)
    }
    this.#expectDistinct(names)
    if (tag.colon < 0) return this.defaultNs
    const prefix = buffer.toString('utf8', base + tag.nameFrom, base + tag.colon)
    if (prefix === 'xml' || prefix === 'xmlns') malformed('element in a reserved namespace')
    return this.#resolve(prefix)
  }

  #declare(prefix: string, uri: string): void {
    if (prefix === 'xmlns') malformed('xmlns is declared')
    if ((prefix === 'xml') !== (uri === NS_XML)) malformed('xml is bound anew')
    if (uri === '' || uri === NS_XMLNS) malformed('prefix is bound to nothing')
    this.#prefixes.push(prefix)
    this.#uris.push(uri)
  }

  #resolve(prefix: string): string {
    if (prefix === 'xml') return NS_XML
    const at = this.#prefixes.lastIndexOf(prefix)
    if (at < 0) throw new XmlError(this.unbound, 'prefix is not bound')
    return this.#uris[at] as string
  }

  /** Two prefixes may stand for one namespace (Namespaces in XML §6.3). */
  #expectDistinct(names: readonly string[]): void {
    const seen = new Set<string>()
    for (const name of names) {
      const colon = name.indexOf(':')
      const qualified = `${name.slice(colon)} ${this.#resolve(name.slice(0, colon))}`
      if (seen.has(qualified)) malformed('doubled attribute')
      seen.add(qualified)
    }
  }
}

/**
 * SECURITY: no URI has white space around it, but some parsers trim it: what is one namespace to us
 * would be another to them.
 */
function namespaceName(value: string): string {
  if (!isTrimmed(value)) throw new XmlError('bad-format', 'namespace with white space')
  return value
}
