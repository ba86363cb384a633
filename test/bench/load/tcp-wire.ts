import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Door, Listener, Wire } from './connection.ts'

/** A socket, with TLS from the first byte where that is wanted. */
export function openTcp({ port, tls }: Door, domain: string, { take, end }: Listener): Wire {
  const to = { host: '127.0.0.1', port }
  const socket = tls
    ? connectTls({ ...to, rejectUnauthorized: false, servername: domain })
    : connect(to)
  socket.setNoDelay(true)
  // Latin-1 keeps the length of what comes; the markers are ASCII.
  socket.setEncoding('latin1')
  socket.on('data', take)
  socket.on('error', end)
  socket.on('close', () => end(new Error('the server closed the connection')))
  return {
    open: () =>
      socket.write(
        `<?xml version='1.0'?><stream:stream to='${domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
      ),
    write: (element) => socket.write(element, 'latin1'),
    close: () => socket.end('</stream:stream>', 'latin1'),
    destroy: () => socket.destroy(),
  }
}
