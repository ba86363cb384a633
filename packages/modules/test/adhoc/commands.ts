import assert from 'node:assert/strict'
import type { Client, Story } from '@tactus/testkit'
import { type XmlElement, xml } from '@tactus/xml'

export const NS = 'http://jabber.org/protocol/commands'
const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
export const host = 'montague.example'
export const benvolioHall = 'benvolio@montague.example/hall'

export interface Said {
  readonly action?: string
  readonly session?: string | undefined
  readonly fields?: Readonly<Record<string, string | readonly string[]>>
  readonly type?: string
  readonly to?: string
}

let count = 0

/** Sends a command and waits for its answer, the whole iq. */
export async function command(client: Client, node: string, said: Said = {}): Promise<XmlElement> {
  const { action, session, fields, type = 'submit', to = host } = said
  const form =
    fields &&
    xml(
      'x',
      { xmlns: 'jabber:x:data', type },
      Object.entries(fields).map(([name, values]) =>
        xml(
          'field',
          { var: name },
          [values].flat().map((value) => xml('value', null, value)),
        ),
      ),
    )
  count += 1
  const id = `c${count}`
  await client.send`<iq type='set' id='${id}' to='${to}'>${xml('command', { xmlns: NS, node, action, sessionid: session }, form)}</iq>`
  return await client.hears(id)
}

export const commandOf = (iq: XmlElement): XmlElement => {
  assert.equal(iq.attrs.type, 'result', iq.toString())
  return iq.getChild('command', NS) ?? assert.fail(iq.toString())
}
export const sessionOf = (iq: XmlElement): string => commandOf(iq).attrs.sessionid ?? assert.fail()
export const statusOf = (iq: XmlElement): string | undefined => commandOf(iq).attrs.status
export const formOf = (iq: XmlElement): XmlElement =>
  commandOf(iq).getChild('x', 'jabber:x:data') ?? assert.fail(iq.toString())
export const valuesOf = (form: XmlElement, name: string): readonly string[] =>
  (
    form
      .getChildren('field')
      .find(({ attrs }) => attrs.var === name)
      ?.getChildren('value') ?? []
  ).map((value) => value.text())
export const actionsOf = (iq: XmlElement): readonly string[] => {
  const actions = commandOf(iq).getChild('actions')
  return [
    `execute=${actions?.attrs.execute}`,
    ...(actions?.getChildElements() ?? []).map(({ name }) => name),
  ]
}

export function refused(
  iq: XmlElement,
  condition: string,
  application?: string,
): string | undefined {
  assert.equal(iq.attrs.type, 'error', iq.toString())
  const error = iq.getChild('error') ?? assert.fail(iq.toString())
  assert(error.getChild(condition, NS_ERRORS), iq.toString())
  if (application !== undefined) assert(error.getChild(application, NS), iq.toString())
  return error.getChild('text', NS_ERRORS)?.text()
}

/** An account that administers its host. */
export async function admin({ connect, command: run }: Story, jid = benvolioHall): Promise<Client> {
  const client = await connect(jid)
  await run('user role', { jid: client.account, role: 'admin' })
  return client
}

export async function items(client: Client, to = host): Promise<readonly string[]> {
  count += 1
  const id = `d${count}`
  await client.send`<iq type='get' id='${id}' to='${to}'><query xmlns='http://jabber.org/protocol/disco#items' node='${NS}'/></iq>`
  const answer = await client.hears(id)
  const found = answer.getChild('query', 'http://jabber.org/protocol/disco#items')
  return (found?.getChildren('item') ?? []).map(({ attrs }) => {
    assert.equal(attrs.jid, to)
    return attrs.node ?? ''
  })
}
