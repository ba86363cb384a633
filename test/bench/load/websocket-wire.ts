import type { Door, Listener, Wire } from './connection.ts'
import { named } from './namespace.ts'

/** RFC 7395, without TLS: a message an element. */
export function openWebSocket({ port }: Door, _domain: string, { take, end }: Listener): Wire {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/xmpp-websocket`, 'xmpp')
  const connected = new Promise<void>((resolve) => {
    socket.addEventListener('open', () => resolve())
  })
  const framing = "xmlns='urn:ietf:params:xml:ns:xmpp-framing'"
  socket.addEventListener('message', ({ data }) => take(String(data)))
  socket.addEventListener('error', () => end(new Error('the connection failed')))
  socket.addEventListener('close', () => end(new Error('the server closed the connection')))
  return {
    open: async (domain) => {
      await connected
      socket.send(`<open ${framing} to='${domain}' version='1.0'/>`)
    },
    write: (element) => socket.send(named(element)),
    close: () => socket.send(`<close ${framing}/>`),
    destroy: () => socket.close(),
  }
}
