import { z } from 'zod'
import { domainName } from './values/domain.ts'
import { duration } from './values/duration.ts'
import { locationValue } from './values/location.ts'
import { count, toggle } from './values/scalar.ts'
import { size } from './values/size.ts'

/** With whom a host exchanges stanzas, and what it takes for proof of who they are. */
export const federationSchema = z.strictObject({
  policy: z.enum(['open', 'allow-list', 'deny-list', 'off']).optional().meta({
    description:
      'Which other servers are spoken to: all, only those in `domains`, all but those, or none. `open` unless the host serves guests.',
  }),
  domains: z.array(domainName).default([]).meta({
    description: 'The list of `policy`; a domain stands for those below it as well.',
  }),
  dialback: z.array(domainName).default([]).meta({
    description:
      'Servers that may prove who they are by DNS alone (XEP-0220), without a certificate that can be verified; `*` is all.',
  }),
  posh: z.array(domainName).default([]).meta({
    description:
      'Servers whose web site may name their certificate (POSH, RFC 7711), where no authority vouches for it; `*` is all. Whoever says that it is of such a domain makes this server ask that web site.',
  }),
  tellPosh: duration('0s').meta({
    description:
      'Serve `.well-known/posh/xmpp-server.json` (RFC 7711) for others, which may be believed for so long; with `0s` there is none. In a cluster all connection managers have to have the same certificate.',
  }),
})

/** How other servers are found and spoken to. */
export const s2sSchema = z.strictObject({
  authorities: locationValue.optional().meta({
    description:
      'Certificates in PEM, trusted beside those of the system to vouch for other servers.',
  }),
  allowPrivate: toggle(false).meta({
    description:
      'Connect to private and loopback addresses as well, where the DNS of another domain names them.',
  }),
  resolvers: z
    .array(
      z
        .string()
        .regex(/^[0-9a-fA-F.:[\]]{2,64}$/, 'an address such as 192.0.2.53 or 192.0.2.53:5353'),
    )
    .default([])
    .meta({ description: 'DNS servers to ask; those of the system when empty.' }),
  dnssec: toggle(false).meta({
    description:
      'The `resolvers` verify by DNSSEC, and nobody can come between: what they call authentic is believed, TLSA records (DANE) among it.',
  }),
  port: count(5_269, 1, 65_535).meta({
    description: 'Where a domain without SRV records is looked for.',
  }),
  bidi: toggle(false).meta({
    description:
      'Carry stanzas in both directions of a stream (XEP-0288), where the other server does so too: such as cannot be connected to are reached by the streams that they open. Off by default, because a stream that the other server opened only that server can resume: after a break, what it had and not acknowledged may come twice where it does not, and in a cluster each such stanza goes over the bus once more.',
  }),
  poshPort: count(443, 1, 65_535).meta({
    description: 'Where the web site of a domain is asked for its certificates (POSH).',
  }),
  timeouts: z
    .strictObject({
      dns: duration('5s').meta({ description: 'One question to one DNS server.' }),
      connect: duration('10s').meta({ description: 'One address of another server.' }),
      negotiation: duration('30s').meta({
        description: 'From the connection to a stream that may carry stanzas.',
      }),
      delivery: duration('2m').meta({
        description:
          'How long a stanza waits for another server before its sender gets it back as an error.',
      }),
      idle: duration('15m').meta({ description: 'A stream that carries nothing is closed.' }),
      resumption: duration('5m').meta({
        description: 'How long a stream of another server that broke may be resumed (XEP-0198).',
      }),
    })
    .prefault({}),
  queue: z
    .strictObject({
      stanzas: count(10_000, 1).meta({ description: 'Stanzas that wait for one remote domain.' }),
      bytes: size('16MiB', 65_536).meta({ description: 'Their bytes.' }),
      total: size('128MiB', 1_048_576).meta({
        description: 'Bytes that wait for all remote domains, in one connection manager.',
      }),
    })
    .prefault({}),
  gate: z
    .strictObject({
      hits: count(50, 0).meta({
        description:
          'Streams of a domain that one connection manager ended for what was sent on them, until the domain is banned; 0 bans nobody.',
      }),
      window: duration('1h').meta({ description: 'The time over which they are counted.' }),
      ban: duration('48h').meta({ description: 'How long such a domain is banned.' }),
    })
    .prefault({}),
  connections: count(1_000, 1).meta({
    description: 'Streams from other servers, in one connection manager.',
  }),
})
