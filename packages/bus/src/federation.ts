/** With whom a host exchanges stanzas, and what it takes for proof of who they are. */
export interface FederationPolicy {
  readonly mode: 'open' | 'allow-list' | 'deny-list' | 'off'
  /** What the list holds; a domain stands for those below it as well. */
  readonly domains: readonly string[]
  /** Domains that dialback (XEP-0220) proves enough even where their certificate cannot be verified; `*` is all. */
  readonly dialback: readonly string[]
  /** Domains whose web site may name their certificate (POSH, RFC 7711); absent where a router of an older release told. */
  readonly posh?: readonly string[]
  /** Milliseconds for which others may believe what our own web site says of our certificate; 0 and absent: it says nothing. */
  readonly tellsPosh?: number
  /** Domains that are banned at present, whatever `mode` says. */
  readonly blocked?: readonly string[]
}

/** Whether a domain, or one above it, is listed; `*` lists all. */
export function isListed(domain: string, list: readonly string[]): boolean {
  return list.some((entry) => entry === '*' || domain === entry || domain.endsWith(`.${entry}`))
}

/** Whether a host with this policy speaks to a remote domain at all. */
export function mayFederate(policy: FederationPolicy | undefined, domain: string): boolean {
  if (!policy || policy.mode === 'off' || isListed(domain, policy.blocked ?? [])) return false
  if (policy.mode === 'open') return true
  return isListed(domain, policy.domains) === (policy.mode === 'allow-list')
}
