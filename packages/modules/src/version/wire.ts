import { type XmlElement, xml } from '@tactus/xml'

/** XEP-0092 §5. */
export const NS_VERSION = 'jabber:iq:version'

/** Name and version of a piece of software; the operating system is told only where the operator wants it. */
export interface SoftwareVersion {
  readonly name: string
  readonly version: string
  readonly os: string | undefined
}

/** The answer of XEP-0092 §3. */
export function versionElement({ name, version, os }: SoftwareVersion): XmlElement {
  return xml(
    'query',
    { xmlns: NS_VERSION },
    xml('name', null, name),
    xml('version', null, version),
    os !== undefined && xml('os', null, os),
  )
}
