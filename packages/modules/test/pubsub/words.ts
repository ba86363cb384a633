import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { verificationText } from '@tactus/core'
import type { Client } from '@tactus/testkit'
import { parseElement, type Stanza } from '@tactus/xml'

/** What stories of pubsub are told in. */
export const NS = 'http://jabber.org/protocol/pubsub'
export const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
export const romeoHome = 'romeo@montague.example/home'
export const julietBalcony = 'juliet@capulet.example/balcony'
export const juliet = 'juliet@capulet.example'
export const TUNE = 'http://jabber.org/protocol/tune'

export const tune = (title: string) => `<tune xmlns='${TUNE}'><title>${title}</title></tune>`
export const item = (id: string, payload = '') => `<item id='${id}'>${payload}</item>`
export const pubsub = (content: string) => `<pubsub xmlns='${NS}'>${content}</pubsub>`
export const owner = (content: string) => `<pubsub xmlns='${NS}#owner'>${content}</pubsub>`
export const form = (type: string, fields: Readonly<Record<string, string | readonly string[]>>) =>
  `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>${NS}#${type}</value></field>${Object.entries(
    fields,
  )
    .map(([name, values]) => {
      const texts = [values].flat().map((value) => `<value>${value}</value>`)
      return `<field var='pubsub#${name}'>${texts.join('')}</field>`
    })
    .join('')}</x>`
export const options = (fields: Readonly<Record<string, string | readonly string[]>>) =>
  `<publish-options>${form('publish-options', fields)}</publish-options>`

/** Asks for something, and takes everything that came. The answer comes back as text. */
export async function ask(
  client: Client,
  type: 'get' | 'set',
  content: string,
  to: string = client.account,
): Promise<string> {
  await client.send`<iq type='${type}' id='ask' to='${to}'>${content}</iq>`
  // What else comes may be there before the answer, which may take a job.
  const answer = await client.hears('ask')
  assert(!client.drain().some(({ id }) => id === 'ask'), 'it is answered once')
  if (answer.attrs.type === 'result') return String(answer.getChildElements()[0] ?? 'done')
  const error = answer.getChild('error')
  const conditions = error?.getChildElements().filter((child) => child.name !== 'text') ?? []
  const named = conditions.map((child) =>
    child.attrs.feature ? `${child.name}(${child.attrs.feature})` : child.name,
  )
  return `${error?.attrs.type}: ${named.join(' ')}`
}

/** Publishes as the account's own client. */
export async function publish(
  client: Client,
  node: string,
  content: string,
  extra = '',
): Promise<string> {
  return await ask(client, 'set', pubsub(`<publish node='${node}'>${content}</publish>${extra}`))
}

export const create = (client: Client, node: string, config = {}): Promise<string> =>
  ask(
    client,
    'set',
    pubsub(`<create node='${node}'/><configure>${form('node_config', config)}</configure>`),
  )

export const items = (client: Client, node: string, attrs = '', content = '', to = juliet) =>
  ask(client, 'get', pubsub(`<items node='${node}' ${attrs}>${content}</items>`), to)

/** The ids of an answer's items, in order. */
export const idsOf = (answer: string): string[] =>
  [...answer.matchAll(/<item id='([^']*)'/g)].map((found) => found[1] ?? '')

/** A notification as its receiver expects it. */
export const event = (to: string, content: string, { from = juliet, rest = '' } = {}) =>
  `<message type='headline' id='{any}' from='${from}' to='${to}'><event xmlns='${NS}#event'>${content}</event>${rest}</message>`
export const delay = `<delay xmlns='urn:xmpp:delay' stamp='{any}'/>`
export const replyTo = (jid: string) =>
  `<addresses xmlns='http://jabber.org/protocol/address'><address type='replyto' jid='${jid}'/></addresses>`

/** Software that wants notifications of these nodes. */
export function software(...nodes: readonly string[]): {
  readonly ver: string
  readonly info: string
} {
  const features = nodes.map((node) => `<feature var='${node}+notify'/>`)
  const info = `<identity category='client' type='pc' name='Test'/>${features.join('')}`
  const query = parseElement(`<query xmlns='http://jabber.org/protocol/disco#info'>${info}</query>`)
  const ver = createHash('sha1')
    .update(verificationText(query) ?? '')
    .digest('base64')
  return { ver, info }
}

/**
 * Comes online with software, and answers what the server asks of it. Answers the messages that came already; later ones
 * are in the inbox.
 */
export async function comesWith(
  client: Client,
  { ver, info }: ReturnType<typeof software>,
  more = '',
): Promise<readonly Stanza[]> {
  await client.send`<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example:client' ver='${ver}'/>${more}</presence>`
  const received = client.drain()
  for (const stanza of received)
    if (stanza.name === 'iq' && stanza.type === 'get')
      await client.send`<iq type='result' id='${stanza.id}' to='${stanza.from}'><query xmlns='http://jabber.org/protocol/disco#info' node='urn:example:client#${ver}'>${info}</query></iq>`
  return received.filter(({ name }) => name === 'message')
}

/** Comes online and hears that many messages; nothing that came before is among them. */
export async function comesAndHears(
  client: Client,
  kind: ReturnType<typeof software>,
  count: number,
  more = '',
): Promise<readonly string[]> {
  client.drain()
  const heard = [...(await comesWith(client, kind, more))]
  await client.arrived(count - heard.length)
  heard.push(...client.drain().filter(({ name }) => name === 'message'))
  return heard.map(String)
}
