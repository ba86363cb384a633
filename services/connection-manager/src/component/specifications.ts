/** What connections of components implement; the list in docs/generated/xeps.md is made of this, too. */
export const componentSpecifications = [
  {
    xep: '0114',
    version: '1.6',
    status: 'partial',
    note: 'Connections that components make (`jabber:component:accept`); we make none to them. Several connections of one component share its load.',
  },
] as const
