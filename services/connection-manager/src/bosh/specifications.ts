/** What sessions over HTTP implement; the list in docs/generated/xeps.md is made of this, too. */
export const boshSpecifications = [
  {
    xep: '0124',
    version: '1.11.2',
    status: 'partial',
    note: 'One stream a session (§16), one request held at most (`hold`), UTF-8 only, and bodies are not compressed. A request that cannot be answered at the moment is answered with 503, which makes clients repeat it, and not with `type="error"`, which many take for an answer. A few requests that come too early (§11) do not end a session, because a page that is loaded again sends one.',
  },
  {
    xep: '0206',
    version: '1.4',
    status: 'complete',
    note: 'Stream management (XEP-0198) is not offered inside: requests and answers acknowledge each other, and what they carry is kept until they do.',
  },
  {
    xep: '0252',
    version: '0.1',
    status: 'partial',
    note: 'Where `bosh.script` is on. Every body has to be whole; also `callback` and `data` as parameters of the query, answered with an object that has the body as `reply`.',
  },
] as const
