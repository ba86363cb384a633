import { StanzaError } from '@tactus/stanza'
import { serialize, type XmlElement, xml } from '@tactus/xml'

/** XEP-0049 §2. */
export const NS_PRIVATE = 'jabber:iq:private'

/** One fragment as it is kept: addressed by the name and namespace of its root element. */
export interface Fragment {
  readonly key: string
  readonly xml: string
}

/** SECURITY: an index of Postgres takes some 2,700 bytes, and what it refuses costs a whole step. */
const maxKeyBytes = 1_024

/** The key of a fragment; a namespace holds no space, so nothing else has the same. */
export function fragmentKey(root: XmlElement): string {
  return `${root.name} ${namespaceOf(root)}`
}

/**
 * The element that names the fragment which is asked for.
 *
 * @throws {StanzaError} `bad-request` when there is none (§2, "Bad Format" in the words of RFC 6120) or more than one
 */
export function readRequest(query: XmlElement): XmlElement {
  const [wanted, ...others] = query.getChildElements()
  if (!wanted || others.length > 0) throw new StanzaError('bad-request')
  return wanted
}

/**
 * All fragments that are to be stored.
 *
 * @throws {StanzaError} `not-acceptable` when there is none, or one without a namespace of its own or with too long a one
 */
export function readFragments(query: XmlElement): readonly Fragment[] {
  const roots = query.getChildElements()
  if (roots.length === 0) throw new StanzaError('not-acceptable')
  return roots.map((root) => {
    const key = fragmentKey(root)
    if (namespaceOf(root) === NS_PRIVATE || Buffer.byteLength(key) > maxKeyBytes)
      throw new StanzaError('not-acceptable')
    return { key, xml: serialize(root) }
  })
}

/** The answer to a request: the fragment, or the element that asked for it when nothing is stored. */
export function fragmentAnswer(fragment: XmlElement): XmlElement {
  return xml('query', { xmlns: NS_PRIVATE }, fragment)
}

function namespaceOf(root: XmlElement): string {
  return root.getNS() ?? ''
}
