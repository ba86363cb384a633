import { bare, domainpart, type Jid } from '@tactus/jid'

/**
 * Whether a block list shuts an address out (XEP-0191 §5): itself, its account or its domain is listed.
 *
 * A domain stands for all accounts and resources there, and not for the domains below it.
 */
export function isListed(list: ReadonlySet<string>, jid: Jid): boolean {
  return list.has(jid) || list.has(bare(jid)) || list.has(domainpart(jid))
}
