/**
 * A chat client on @xmpp/client that does what it is told: JSON lines in, JSON lines out.
 *
 * Usage: xmppjs-agent.mjs SERVICE JID PASSWORD
 */
import { createInterface } from 'node:readline'
import { client, xml } from '@xmpp/client'

const [service, jid, password] = process.argv.slice(2)
const [username, domain] = jid.split('@')
const tell = (event, fields = {}) =>
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`)

const xmpp = client({
  service,
  domain,
  username,
  password,
  resource: 'interop',
})

xmpp.on('error', (error) => tell('error', { message: String(error) }))
xmpp.on('offline', () => tell('disconnected'))
xmpp.on('online', async (address) => {
  await xmpp.iqCaller.get(xml('query', 'jabber:iq:roster'))
  await xmpp.send(xml('presence'))
  tell('online', { jid: String(address) })
})
xmpp.on('stanza', (stanza) => {
  const { from: sender, type } = stanza.attrs
  if (stanza.is('message') && stanza.getChildText('body') !== null)
    tell('message', {
      sender,
      body: stanza.getChildText('body'),
      delayed: stanza.getChild('delay', 'urn:xmpp:delay') !== undefined,
    })
  if (stanza.is('presence')) tell('presence', { sender, type: type ?? 'available' })
})

const orders = {
  say: ({ to, body }) => xmpp.send(xml('message', { to, type: 'chat' }, xml('body', {}, body))),
  presence: ({ to, type }) => xmpp.send(xml('presence', { to, type })),
  async roster() {
    const query = await xmpp.iqCaller.get(xml('query', 'jabber:iq:roster'))
    const items = query.getChildren('item').map(({ attrs }) => [attrs.jid, attrs.subscription])
    tell('roster', { items: Object.fromEntries(items) })
  },
  async ping({ to }) {
    await xmpp.iqCaller.get(xml('ping', 'urn:xmpp:ping'), to)
    tell('pong')
  },
  async close() {
    await xmpp.stop()
    tell('closed')
    process.exit(0)
  },
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line)
  Promise.resolve(orders[order.do](order)).catch((error) =>
    tell('error', { message: String(error) }),
  )
})
xmpp.start().catch((error) => tell('error', { message: String(error) }))
