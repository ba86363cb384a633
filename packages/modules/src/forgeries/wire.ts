import type { ChildSpan } from '@tactus/xml'

/** XEP-0313 §13; clients know older versions of it too. */
const NS_ARCHIVES = 'urn:xmpp:mam:'

/** A message out of an archive. */
export function isArchiveResult({ name, ns }: ChildSpan): boolean {
  return name === 'result' && ns.startsWith(NS_ARCHIVES)
}
