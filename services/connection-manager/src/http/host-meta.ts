import { isIP } from 'node:net'

/** Where this server's HTTP side is. */
export interface Places {
  /** Paths; undefined for what is not served. */
  readonly websocket: string | undefined
  readonly bosh: string | undefined
  /** `http.url` of the configuration. */
  readonly url: string | undefined
}

/** A way to a host. @see XEP-0156 */
export interface Link {
  readonly rel: string
  readonly href: string
}

/** What a request for host-meta was addressed to. */
export interface Asked {
  /** With the port, as in the request's `Host`. */
  readonly authority: string
  readonly isSecure: boolean
}

/** The domain in a `Host` header; undefined for what is none. */
export function domainOf(authority: string): string | undefined {
  const domain = authority.replace(/:\d*$/, '').toLowerCase()
  return /^[^\s@/"'<>&:[\]]+$/.test(domain) && isIP(domain) === 0 ? domain : undefined
}

/** `http.url` of the configuration, for a host. */
export function baseOf(url: string, domain: string): string {
  return url.replaceAll('{host}', domain).replace(/\/$/, '')
}

/**
 * The links of a host; undefined where nobody has said at which secure place we are found.
 *
 * @see XEP-0156 §2.2: only what begins with `https:` or `wss:` may be told
 */
export function linksOf(
  domain: string,
  { websocket, bosh, url }: Places,
  asked: Asked,
): readonly Link[] | undefined {
  const base = url === undefined ? undefined : baseOf(url, domain)
  if (base === undefined && !asked.isSecure) return undefined
  const at = base ?? `https://${asked.authority}`
  const links: Link[] = []
  if (websocket !== undefined) {
    const href = at.replace(/^https/, 'wss') + websocket
    links.push({ rel: 'urn:xmpp:alt-connections:websocket', href })
  }
  if (bosh !== undefined) links.push({ rel: 'urn:xmpp:alt-connections:xbosh', href: at + bosh })
  return links
}

/** The same as XRD (RFC 6415 §3.1). Nothing in a link needs escaping: domains and paths have been checked. */
export function hostMeta(links: readonly Link[]): string {
  const lines = links.map(({ rel, href }) => `  <Link rel='${rel}' href='${href}'/>\n`).join('')
  return `<?xml version='1.0' encoding='utf-8'?>\n<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n${lines}</XRD>\n`
}

/** The same as JSON (RFC 6415 appendix A). */
export function hostMetaJson(links: readonly Link[]): string {
  return `${JSON.stringify({ links })}\n`
}
