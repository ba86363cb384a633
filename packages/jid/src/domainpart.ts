import { isIPv6 } from 'node:net'
import { toASCII, toUnicode } from 'tr46'
import { JidError } from './jid-error.ts'
import { refuseLongInput, requireContext, requireIdentifier, requireLength } from './prep.ts'

// RFC 5890 §2.3.1: letters, digits, hyphen; no hyphen at either end nor in third and fourth
// place; the latter sends A-labels (`xn--`) down the long path.
const ldhDomain =
  /^(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/

const maxLabelBytes = 63

// UTS #46, non-transitional, all checks on, which leaves what IDNA2008 allows plus symbols;
// those are refused by the class check below.
const options = {
  checkHyphens: true,
  checkBidi: true,
  checkJoiners: true,
  useSTD3ASCIIRules: true,
} as const

/**
 * Prepares a domainpart (RFC 7622 §3.2): lower case, A-labels as U-labels, no trailing dot, IPv6
 * addresses in the form of RFC 5952 so that one address is one JID.
 *
 * @throws {JidError}
 */
export function prepareDomainpart(text: string): string {
  if (text.length <= 1023 && ldhDomain.test(text)) return text
  refuseLongInput('domainpart', text)
  if (text.startsWith('[')) return prepareIpLiteral(text)
  const { domain, error } = toUnicode(text, options)
  const name = domain.endsWith('.') ? domain.slice(0, -1) : domain
  requireLength('domainpart', name)
  if (error) throw new JidError('domainpart', 'is not an internationalized domain name')
  for (const label of name.split('.')) requireLabel(label)
  return name
}

/**
 * A prepared domainpart as DNS and certificates spell it: every U-label as its A-label. Address
 * literals come back as they are.
 */
export function domainToAscii(domain: string): string {
  if (ldhDomain.test(domain) || domain.startsWith('[')) return domain
  const ascii = toASCII(domain, options)
  if (ascii === null) throw new JidError('domainpart', 'is not an internationalized domain name')
  return ascii
}

function requireLabel(label: string): void {
  if (label === '') throw new JidError('domainpart', 'has an empty label')
  requireIdentifier('domainpart', label)
  requireContext('domainpart', label)
  if (domainToAscii(label).length > maxLabelBytes)
    throw new JidError('domainpart', `has a label of more than ${maxLabelBytes} octets`)
}

/** RFC 3986 §3.2.2. Zones and IPvFuture are refused: neither names the same host to two peers. */
function prepareIpLiteral(text: string): string {
  const address = text.endsWith(']') ? text.slice(1, -1) : ''
  if (!isIPv6(address) || address.includes('%'))
    throw new JidError('domainpart', 'is not an IPv6 address literal')
  return new URL(`http://${text}/`).hostname
}
