import type { Server } from 'node:http'

/**
 * Ends a connection that takes nothing of an answer for so long (milliseconds): what is written stays in memory until it is
 * read. Whoever reads on is left alone, and so is a request that has no answer yet, which is what BOSH lives by.
 * Node itself watches over what is asked too slowly, and over connections that ask nothing.
 */
export function watchReaders(server: Server, limit: number): void {
  // Before anybody answers.
  server.prependListener('request', (request, response) => {
    const { socket } = request
    // All of it is with the socket now, whose own time limit knows what the peer takes.
    response.once('prefinish', () => socket.setTimeout(limit))
    // Where nothing follows, Node has set the limit for that. The next request on the connection may wait for its answer.
    response.once('finish', () => {
      if (socket.timeout === limit) socket.setTimeout(0)
    })
  })
}
