import type { Client, Story } from '@tactus/testkit'

export const NS_MUC = 'http://jabber.org/protocol/muc'
export const NS_USER = `${NS_MUC}#user`
export const NS_ADMIN = `${NS_MUC}#admin`
export const NS_OWNER = `${NS_MUC}#owner`
const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
export const service = 'conference.montague.example'

let rooms = 0

/** An address that no other story has: against real processes they share a server. */
export function newRoom(): string {
  rooms += 1
  return `coven${rooms}-${process.pid}@${service}`
}

export const occupantId = `<occupant-id xmlns='urn:xmpp:occupant-id:0' id='{any}'/>`
export const codes = (...numbers: readonly number[]) =>
  numbers.map((code) => `<status code='${code}'/>`).join('')
/** `<x/>` of a room with one item. */
export const user = (item: string, more = '') => `<x xmlns='${NS_USER}'><item ${item}/>${more}</x>`
export const error = (condition: string, type: string, by?: string) =>
  `<error type='${type}'${by ? ` by='${by}'` : ''}><${condition} xmlns='${NS_ERRORS}'/></error>`

/** Presence of an occupant as the room tells it. */
export function presence(room: string, nick: string, to: Client, x: string, attrs = ''): string {
  return `<presence from='${room}/${nick}' to='${to.jid}' ${attrs}>${x}${occupantId}</presence>`
}

export async function join(client: Client, room: string, nick: string, inner = ''): Promise<void> {
  await client.send`<presence to='${room}/${nick}'><x xmlns='${NS_MUC}'>${inner}</x></presence>`
}

export async function configure(
  client: Client,
  room: string,
  fields: Readonly<Record<string, string | readonly string[]>> = {},
): Promise<void> {
  const all = Object.entries({ FORM_TYPE: `${NS_MUC}#roomconfig`, ...fields }).map(
    ([name, values]) =>
      `<field var='${name}'>${[values]
        .flat()
        .map((value) => `<value>${value}</value>`)
        .join('')}</field>`,
  )
  await client.send`<iq type='set' id='configure' to='${room}'><query xmlns='${NS_OWNER}'><x xmlns='jabber:x:data' type='submit'>${all.join('')}</x></query></iq>`
}

/** The owner is in an open room, and so are the others, in this order; nobody has anything unread. */
export async function gathered(
  { online }: Pick<Story, 'online'>,
  room: string,
  nicks: Readonly<Record<string, string>>,
  fields: Readonly<Record<string, string | readonly string[]>> = {},
): Promise<readonly Client[]> {
  const clients: Client[] = []
  for (const [nick, jid] of Object.entries(nicks)) {
    const client = await online(jid)
    await join(client, room, nick)
    if (clients.length === 0) await configure(client, room, fields)
    clients.push(client)
  }
  for (const client of clients) client.drain()
  return clients
}

/** Changes roles or affiliations. */
export async function change(
  client: Client,
  room: string,
  ...items: readonly string[]
): Promise<void> {
  await client.send`<iq type='set' id='change' to='${room}'><query xmlns='${NS_ADMIN}'>${items.join('')}</query></iq>`
}

export const result = (client: Client, room: string, id: string) =>
  `<iq type='result' id='${id}' from='${room}' to='${client.jid}'/>`
export const refused = (
  client: Client,
  room: string,
  id: string,
  condition: string,
  type: string,
) => `<iq type='error' id='${id}' from='${room}' to='${client.jid}'>${error(condition, type)}</iq>`

export const [cauldron, broom, crypt] = [
  'crone1@montague.example/desktop',
  'hecate@capulet.example/broom',
  'hag66@capulet.example/pda',
] as const

/** What a stanza looks like with double quotes, for patterns. */
export const text = (stanza: unknown): string => String(stanza).replaceAll("'", '"')

/** What those who see addresses hear of an affiliation of somebody who is not in the room. */
export const absent = (to: Client, room: string, item: string) =>
  `<message id='{any}' from='${room}' to='${to.jid}'><x xmlns='${NS_USER}'><item ${item} role='none'/></x><no-store xmlns='urn:xmpp:hints'/><stanza-id xmlns='urn:xmpp:sid:0' by='${to.account}' id='{any}'/></message>`

/** What the room sends back of presence that it refuses. */
export const joinEcho = `<x xmlns='${NS_MUC}'/>`
