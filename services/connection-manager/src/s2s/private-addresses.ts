import { BlockList, isIPv6 } from 'node:net'

const ranges: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  ['::1', 128],
  ['::ffff:0:0', 96],
  ['64:ff9b:1::', 48],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
]

// Two, as in one list an IPv4 address is also one of ::ffff:0:0/96.
const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
for (const [network, prefix] of ranges) {
  const family = isIPv6(network) ? 'ipv6' : 'ipv4'
  lists[family].addSubnet(network, prefix, family)
}

/**
 * Whether an address is of this machine or of a network that is nobody else's business (RFC 6890).
 *
 * SECURITY: anybody can have the DNS of a domain name any address. Who could make the server connect to one inside would
 * have a scanner and worse. IPv4 in the clothes of IPv6 is nothing that a DNS has reason to say.
 */
export function isPrivate(address: string): boolean {
  const plain = address.split('%')[0] ?? ''
  const family = isIPv6(plain) ? 'ipv6' : 'ipv4'
  return lists[family].check(plain, family)
}
