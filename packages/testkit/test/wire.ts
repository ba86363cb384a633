import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** The two ends of one connection through a `Wire`. */
export interface Ends {
  readonly client: Socket
  readonly server: Socket
}

/** What a wire does with bytes on their way to the server: passes them on, or something worse. */
export type Handle = (chunk: Buffer, ends: Ends) => void

/** A wire to a server on this machine that a test can cut and hold. */
export class Wire implements AsyncDisposable {
  readonly #server = createServer((client) => this.#join(client))
  readonly #port: number
  readonly #sockets = new Set<Socket>()
  /** Sees every chunk from a client. */
  handle: Handle = passOn

  constructor(port: number) {
    this.#port = port
  }

  /** Answers the port to connect to. */
  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(client: Socket): void {
    const server = connect(this.#port, '127.0.0.1')
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
    client.on('data', (chunk: Buffer) => this.handle(chunk, { client, server }))
    server.on('data', (chunk: Buffer) => client.write(chunk))
  }
}

/** What an honest wire does. */
export function passOn(chunk: Buffer, { server }: Ends): void {
  server.write(chunk)
}
