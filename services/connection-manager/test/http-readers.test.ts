import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { watchReaders } from '../src/http/readers.ts'

const limit = 300
/** More than all buffers between the two hold. */
const large = Buffer.alloc(64 * 1_024 * 1_024, 'a')

/** A server that answers `/large` at once, and others when the test says so. */
async function serving(
  t: TestContext,
  longest: number = limit,
): Promise<{
  readonly ask: (...paths: readonly string[]) => Promise<Socket>
  /** Sockets of the server. */
  readonly sockets: readonly Socket[]
  readonly held: readonly ServerResponse[]
}> {
  const held: ServerResponse[] = []
  const sockets: Socket[] = []
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    if (request.url === '/large') response.end(large)
    else held.push(response)
  })
  watchReaders(server, longest)
  server.on('connection', (socket) => sockets.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const ask = async (...paths: readonly string[]): Promise<Socket> => {
    const client = connect(port, '127.0.0.1')
    t.after(() => client.destroy())
    client.on('error', () => {})
    client.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''))
    await once(client, 'connect')
    return client
  }
  return { ask, sockets, held }
}

test('V17: an answer that nobody reads is dropped, and its connection with it', async (t) => {
  const { ask, sockets } = await serving(t)
  const client = await ask('/large')
  client.pause()
  while (!sockets[0]) await pause(5)

  await once(sockets[0], 'close')

  assert.equal(sockets[0].writableLength, 0)
})

test('V17: who reads on is left alone, however long it takes', async (t) => {
  const longest = 1_500
  const { ask } = await serving(t, longest)
  const client = await ask('/large')
  // More than the system holds between the two, so that the server can write again each time.
  const portion = 8 * 1_024 * 1_024
  const begun = performance.now()
  for (let wanted = portion; client.bytesRead < large.length; wanted += portion) {
    while (client.bytesRead < Math.min(wanted, large.length)) await once(client, 'data')
    client.pause()
    await pause(longest / 6)
    client.resume()
  }
  assert(performance.now() - begun > longest, 'it took longer than nothing may be read')
})

test('XEP-0124 §11: a request that waits for its answer is left alone, also behind one that was answered', async (t) => {
  const { ask, held, sockets } = await serving(t)
  const client = await ask('/first', '/second')
  let text = ''
  client.on('data', (piece) => {
    text += piece
  })
  while (held.length < 2) await pause(5)
  await pause(3 * limit)
  held[0]?.end('one')
  while (!text.includes('one')) await once(client, 'data')

  await pause(3 * limit)

  assert.equal(sockets[0]?.destroyed, false)
  held[1]?.end('two')
  while (!text.includes('two')) await once(client, 'data')
})
