import type { Socket } from 'node:net'
import type { Connection } from '../stream/connection.ts'

const owner = Symbol('connection')
/** A socket that knows its connection, so that all sockets share the same listeners. */
type OwnedSocket = Socket & { [owner]?: Connection | undefined }

/** From now on the connection hears what happens to the socket. */
export function attach(socket: OwnedSocket, connection: Connection): void {
  socket[owner] = connection
  socket.on('data', onData)
  socket.on('end', onEnd)
  socket.on('close', onClose)
  socket.on('drain', onDrain)
  if (socket.listenerCount('error') === 0) socket.on('error', ignore)
}

/** Undoes {@link attach}, where TLS comes in between. */
export function detach(socket: OwnedSocket): void {
  socket[owner] = undefined
  socket.off('data', onData)
  socket.off('end', onEnd)
  socket.off('close', onClose)
  socket.off('drain', onDrain)
}

function onData(this: OwnedSocket, chunk: Uint8Array): void {
  this[owner]?.receive(chunk)
}

function onEnd(this: OwnedSocket): void {
  this[owner]?.lost()
}

function onClose(this: OwnedSocket): void {
  this[owner]?.broken()
}

function onDrain(this: OwnedSocket): void {
  this[owner]?.drained()
}

/** `close` follows every error, and says all that is to be known. */
export function ignore(): void {}
