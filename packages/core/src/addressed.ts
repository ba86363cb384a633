import { Stanza, type XmlElement } from '@tactus/xml'

/** A stanza from an element that a module built, or as it is. */
export function asStanza(stanza: Stanza | XmlElement): Stanza {
  return stanza instanceof Stanza ? stanza : Stanza.from(stanza)
}

/** The same for somebody else; as it is where nobody is named. */
export function addressed(stanza: Stanza, to: string | undefined): Stanza {
  return to === undefined || stanza.to === to ? stanza : stanza.with({ to })
}
