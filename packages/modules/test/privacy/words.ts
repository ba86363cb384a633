import type { Client } from '@tactus/testkit'

export const NS = 'jabber:iq:privacy'
export const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
export const [romeoHome, romeoPhone] = [
  'romeo@montague.example/home',
  'romeo@montague.example/phone',
]
export const julietBalcony = 'juliet@capulet.example/balcony'
export const [juliet, nurse] = ['juliet@capulet.example', 'nurse@capulet.example']

export const query = (content: string) => `<query xmlns='${NS}'>${content}</query>`
export const list = (name: string, items = '') => query(`<list name='${name}'>${items}</list>`)
export const deny = (jid: string, order: number, kinds = '') =>
  `<item type='jid' value='${jid}' action='deny' order='${order}'>${kinds}</item>`
export const result = (client: Client, id: string, content = '') =>
  `<iq type='result' id='${id}' to='${client.jid}'>${content}</iq>`
export const unavailable = `<error type='cancel'><service-unavailable xmlns='${NS_ERRORS}'/></error>`
export const notAcceptable = `<error type='cancel'><not-acceptable xmlns='${NS_ERRORS}'/></error>`

export async function set(client: Client, content: string): Promise<void> {
  await client.send`<iq type='set' id='s'>${content}</iq>`
  client.receives`${result(client, 's')}`
}

export const pushed = (client: Client) =>
  client
    .drain()
    .map(({ children }) => children[0]?.name)
    .sort()

export async function edit(client: Client, name: string, items: string): Promise<void> {
  await set(client, list(name, items))
  client.receives`<iq type='set' id='{any}' to='${client.jid}'>${list(name)}</iq>`
}

export const useByDefault = (client: Client, name: string) =>
  set(client, query(`<default name='${name}'/>`))
export const activate = (client: Client, name: string) =>
  set(client, query(`<active name='${name}'/>`))

export async function apply(client: Client, items: string): Promise<void> {
  await edit(client, 'rules', items)
  await useByDefault(client, 'rules')
}

export async function shows(client: Client, asked: string, answer: string): Promise<void> {
  await client.send`<iq type='get' id='g'>${asked}</iq>`
  client.receives`${result(client, 'g', answer)}`
}

export async function refuses(
  client: Client,
  type: 'get' | 'set',
  content: string,
): Promise<string> {
  await client.send`<iq type='${type}' id='r'>${content}</iq>`
  const [answer] = client.drain()
  const error = answer?.child('error', 'jabber:client')
  return error?.getChildElements()[0]?.getName() ?? 'no error'
}

export async function blockList(client: Client, ...jids: readonly string[]): Promise<void> {
  await client.send`<iq type='get' id='b'><blocklist xmlns='urn:xmpp:blocking'/></iq>`
  const items = jids.map((jid) => `<item jid='${jid}'/>`).join('')
  client.receives`${result(client, 'b', `<blocklist xmlns='urn:xmpp:blocking'>${items}</blocklist>`)}`
}

export async function blocking(
  client: Client,
  name: 'block' | 'unblock',
  jid: string,
): Promise<void> {
  await client.send`<iq type='set' id='b'><${name} xmlns='urn:xmpp:blocking'><item jid='${jid}'/></${name}></iq>`
  client.receives`${result(client, 'b')}`
}
