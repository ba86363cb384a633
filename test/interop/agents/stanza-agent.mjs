/**
 * A chat client on stanza that does what it is told: JSON lines in, JSON lines out.
 *
 * Usage: stanza-agent.mjs SERVICE JID PASSWORD
 */
import { createInterface } from 'node:readline'
import { createClient } from 'stanza'

const [service, jid, password] = process.argv.slice(2)
const isWebSocket = service.startsWith('ws')
const tell = (event, fields = {}) =>
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`)

const client = createClient({
  jid,
  password,
  resource: 'interop',
  transports: { websocket: isWebSocket && service, bosh: !isWebSocket && service },
})

client.on('session:started', async () => {
  await client.getRoster()
  client.sendPresence()
  tell('online', { jid: client.jid })
})
client.on('stream:error', (error) => tell('error', { message: JSON.stringify(error) }))
client.on('disconnected', () => tell('disconnected'))
client.on('message', ({ from: sender, body }) => {
  if (body) tell('message', { sender, body })
})

const orders = {
  say: ({ to, body }) => client.sendMessage({ to, body, type: 'chat' }),
  async join({ room, nick }) {
    await client.joinRoom(room, nick)
    tell('joined', { room })
  },
  sayInRoom: ({ room, body }) => client.sendMessage({ to: room, body, type: 'groupchat' }),
  async archive({ of }) {
    const { results } = await client.searchHistory(of, {})
    tell('archive', { bodies: results.map(({ item }) => item.message.body) })
  },
  close() {
    client.on('disconnected', () => process.exit(0))
    client.disconnect()
  },
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line)
  Promise.resolve(orders[order.do](order)).catch((error) =>
    tell('error', { order, message: String(error?.message ?? JSON.stringify(error)) }),
  )
})
client.connect()
