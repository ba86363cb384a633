import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'

story(
  'XEP-0092 §3: a server says which software it is, and nothing of its system',
  async ({ connect }) => {
    const romeo = await connect('romeo@montague.example/orchard')

    await romeo.send`<iq type='get' id='v1' to='montague.example'><query xmlns='jabber:iq:version'/></iq>`

    romeo.receives`<iq type='result' id='v1' from='montague.example' to='${romeo.jid}'><query xmlns='jabber:iq:version'><name>{any}</name><version>{any}</version></query></iq>`
  },
)

story(
  'XEP-0092 §3: the operating system is told where the operator wants it',
  { modules: { version: { os: 'Verona' } } },
  async ({ connect }) => {
    const romeo = await connect('romeo@montague.example/orchard')

    await romeo.send`<iq type='get' id='v1' to='montague.example'><query xmlns='jabber:iq:version'/></iq>`

    romeo.receives`<iq type='result' id='v1' from='montague.example' to='${romeo.jid}'><query xmlns='jabber:iq:version'><name>{any}</name><version>{any}</version><os>Verona</os></query></iq>`
  },
)

story('XEP-0202 §3: a server tells the time in UTC', async ({ connect }) => {
  const romeo = await connect('romeo@montague.example/orchard')

  await romeo.send`<iq type='get' id='t1' to='montague.example'><time xmlns='urn:xmpp:time'/></iq>`

  const { children } =
    romeo.receives`<iq type='result' id='t1' from='montague.example' to='${romeo.jid}'><time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>{any}</utc></time></iq>`
  assert.match(String(children[0]), /<utc>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z<\/utc>/)
})

story('XEP-0012 §6: a server says how long it has been running', async ({ connect }) => {
  const romeo = await connect('romeo@montague.example/orchard')

  await romeo.send`<iq type='get' id='l1' to='montague.example'><query xmlns='jabber:iq:last'/></iq>`

  const { children } =
    romeo.receives`<iq type='result' id='l1' from='montague.example' to='${romeo.jid}'><query xmlns='jabber:iq:last' seconds='{any}'/></iq>`
  assert.match(String(children[0]), /seconds=['"]\d+['"]/)
})

story('RFC 3921 §3: an old client that asks for a session gets one', async ({ connect }) => {
  const romeo = await connect('romeo@montague.example/orchard')

  await romeo.send`<iq type='set' id='s1'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>`

  romeo.receives`<iq type='result' id='s1' to='${romeo.jid}'/>`
})
