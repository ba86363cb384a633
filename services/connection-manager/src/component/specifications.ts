/** What connections of components implement; the list in docs/generated/xeps.md is made of this, too. */
export const componentSpecifications = [
  {
    xep: '0114',
    version: '1.6',
    status: 'partial',
    note: 'Connections that components make (`jabber:component:accept`); we make none to them. Several connections of one component share its load. XEP-0225 (deferred) is not there: its one connection binds several domains by SASL, while leases, shards, limits and the load that is dealt out go by the one domain that a connection has here, and its secrets are no account’s.',
  },
] as const
