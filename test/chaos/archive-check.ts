import { type LoginOptions, XmppClient } from '@tactus/testkit'
import { type Stanza, xml } from '@tactus/xml'

const NS = 'urn:xmpp:mam:2'
const NS_FORWARD = 'urn:xmpp:forward:0'
const page = '250'

/** The `id` of every message in somebody's archive, as it is paged through from its beginning (XEP-0313 §4). */
export async function archivedIds(where: LoginOptions): Promise<readonly string[]> {
  const client = await XmppClient.login(where)
  const ids: string[] = []
  client.onStanza = (stanza) => {
    const id = forwardedId(stanza)
    if (id !== undefined) ids.push(id)
  }
  for (let after: string | undefined, n = 0; ; n += 1) {
    const request = `page-${n}`
    const rsm = xml(
      'set',
      { xmlns: 'http://jabber.org/protocol/rsm' },
      xml('max', {}, page),
      after === undefined ? undefined : xml('after', {}, after),
    )
    client.send(
      xml(
        'iq',
        { xmlns: 'jabber:client', type: 'set', id: request },
        xml('query', { xmlns: NS }, rsm),
      ),
    )
    const answer = await client.next(({ id }) => id === request, 'a page of the archive')
    const fin = answer.child('fin', NS)
    if (!fin) throw new Error(`the archive answered ${answer}`)
    after = fin.getChild('set')?.getChildText('last') ?? undefined
    if (fin.attrs.complete === 'true' || after === undefined) break
  }
  await client.close()
  return ids
}

function forwardedId(stanza: Stanza): string | undefined {
  const forwarded = stanza.child('result', NS)?.getChild('forwarded', NS_FORWARD)
  return forwarded?.getChild('message')?.attrs.id
}
