import type { ChildSpan } from '@tactus/xml'

/** XEP-0313 §10.1; clients know older versions of it too. */
const NS_ARCHIVES = 'urn:xmpp:mam:'

/** XEP-0430 §2.1, whatever its version. */
const NS_INBOXES = 'urn:xmpp:inbox:'

/** A message out of an archive, or a conversation of an inbox. */
export function isArchiveResult({ name, ns }: ChildSpan): boolean {
  return (
    (name === 'result' && ns.startsWith(NS_ARCHIVES)) ||
    (name === 'entry' && ns.startsWith(NS_INBOXES))
  )
}
