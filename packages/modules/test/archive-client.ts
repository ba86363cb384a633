import type { Client, Story } from '@tactus/testkit'
import type { Stanza, XmlElement } from '@tactus/xml'

/** XEP-0313 */
export const NS = 'urn:xmpp:mam:2'
let asked = 0

/** What came of a query. */
export interface Answer {
  /** Archive ids and bodies, as they came. */
  readonly ids: readonly string[]
  readonly bodies: readonly string[]
  readonly results: readonly XmlElement[]
  /** The `<fin/>`, or the error. */
  readonly end: XmlElement
  readonly complete: boolean
  readonly error: string | undefined
}

/** Asks for a page, waits for its end, and takes what came before it. */
export async function query(
  client: Client,
  fields: Readonly<Record<string, string | readonly string[]>> = {},
  { rsm = '', extra = '', to = '' }: { rsm?: string; extra?: string; to?: string } = {},
): Promise<Answer> {
  asked += 1
  const id = `q${asked}`
  const form = Object.entries({ FORM_TYPE: NS, ...fields }).map(
    ([name, values]) =>
      `<field var='${name}'>${[values].flat().map((value) => `<value>${value}</value>`)}</field>`,
  )
  const x = `<x xmlns='jabber:x:data' type='submit'>${form.join('')}</x>`
  const set = rsm && `<set xmlns='http://jabber.org/protocol/rsm'>${rsm}</set>`
  await client.send`<iq type='set' id='${id}' ${to && `to='${to}'`}><query xmlns='${NS}' queryid='f27'>${x}${set}${extra}</query></iq>`
  const end = await client.hears(id)
  const results = client.drain().filter(isResult).map(resultOf)
  return {
    ids: results.map(({ attrs }) => attrs.id ?? ''),
    bodies: results.map((result) => messageOf(result).getChildText('body') ?? ''),
    results,
    end,
    complete: end.getChild('fin', NS)?.attrs.complete === 'true',
    error: end.getChild('error')?.getChildElements()[0]?.getName(),
  }
}

const isResult = (stanza: Stanza): boolean => stanza.hasChild('result', NS)
const resultOf = (stanza: Stanza): XmlElement => stanza.child('result', NS) as XmlElement
/** The message in a result. */
export const messageOf = (result: XmlElement): XmlElement =>
  result
    .getChild('forwarded', 'urn:xmpp:forward:0')
    ?.getChild('message', 'jabber:client') as XmlElement
/** Bodies of all that is in an archive. */
export const bodiesOf = async (client: Client): Promise<readonly string[]> =>
  (await query(client)).bodies

/** Says texts, one after another; each is the id as well. */
export async function say(from: Client, to: string, ...texts: readonly string[]): Promise<void> {
  for (const text of texts)
    await from.send`<message type='chat' to='${to}' id='${text}'><body>${text}</body></message>`
}

/** Romeo and Juliet, online. */
export async function lovers({ online }: Story): Promise<readonly [romeo: Client, juliet: Client]> {
  return [
    await online('romeo@montague.example/orchard'),
    await online('juliet@capulet.example/balcony'),
  ]
}
