/** What streams with other servers implement; the list in docs/generated/xeps.md is made of this, too. */
export const remoteSpecifications = [
  {
    xep: '0178',
    version: '1.2',
    status: 'partial',
    note: 'Certificates of servers. Those of clients are no way to log in here.',
  },
  {
    xep: '0198',
    version: '1.6.3',
    status: 'complete',
    note: 'Between servers: asked for and offered, with resumption on any connection manager in both directions. Where the other side resumes nothing, what it had not acknowledged is sent again.',
  },
  { xep: '0185', version: '1.0', status: 'complete', note: undefined },
  {
    xep: '0220',
    version: '1.1.1',
    status: 'partial',
    note: 'No sender of a second pair of domains on a stream of ours (§2.5): each pair has its own, so that order and load are its own as well. Incoming streams may carry up to 64. Keys are proof enough only where the server that confirms them has a certificate for its domain, unless `federation.dialback` says otherwise.',
  },
  {
    xep: '0288',
    version: '1.0.1',
    status: 'partial',
    note: 'With `s2s.bidi`, on streams of either side, with XEP-0198 and on any connection manager. One pair of domains of a stream goes back on it, the one that was proved first, and only where its certificate is proof, or dialback alone is allowed to be. No dialback for other domains on the same stream (§2.2): it is refused, and not asked for.',
  },
  {
    xep: '0344',
    version: '0.3.1',
    status: 'partial',
    note: 'A domain that the certificate of the stream stands for is not dialled back. Nothing is remembered of certificates that dialback proved.',
  },
  {
    xep: '0368',
    version: '1.1.0',
    status: 'complete',
    note: undefined,
  },
  {
    xep: '0478',
    version: '0.2.0',
    status: 'complete',
    note: 'Told to clients and to other servers, and kept to those of other servers. One that ends three streams over the same stanza does not get it again either.',
  },
] as const
