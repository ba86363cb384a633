import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { type CommandClient, CommandError } from '@tactus/core'

/** Where the control socket of a data folder is. Whoever may open it may do everything: mode 600. */
export function controlSocketPath(folder: string): string {
  return join(folder, 'tactusctl.sock')
}

const longestRequest = 1_048_576

/** Serves admin commands to tactusctl on the same machine while the server runs. */
export async function serveControlSocket(
  folder: string,
  client: CommandClient,
): Promise<AsyncDisposable> {
  const path = controlSocketPath(folder)
  // The folder's lock is ours, so a socket that is there was left by a process that died.
  rmSync(path, { force: true })
  const server = createServer((incoming, response) => {
    void answer(client, incoming, response)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  chmodSync(path, 0o600)
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      rmSync(path, { force: true })
    },
  }
}

async function answer(
  client: CommandClient,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const send = (body: unknown): void => {
    response.writeHead(200, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  try {
    const { name, given } = JSON.parse(await readBody(incoming)) as { name: string; given: unknown }
    send({ ok: true, output: await client.run(name, given) })
  } catch (error) {
    const known = error instanceof CommandError
    send({
      ok: false,
      error: known ? error.code : 'internal',
      message: known ? error.message : 'the command failed; the log says why',
    })
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > longestRequest)
      throw new CommandError('invalid', `a request has at most ${longestRequest} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * Runs a command in the server that holds a data folder.
 *
 * Undefined when no server runs there. @throws {CommandError} as the command does
 */
export async function runOnControlSocket(
  folder: string,
  name: string,
  given: unknown,
): Promise<{ readonly output: unknown } | undefined> {
  const text = await post(controlSocketPath(folder), JSON.stringify({ name, given }))
  if (text === undefined) return undefined
  const result = JSON.parse(text) as
    | { ok: true; output: unknown }
    | { ok: false; error: string; message: string }
  if (!result.ok) throw new CommandError(result.error, result.message)
  return { output: result.output }
}

function post(socketPath: string, body: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path: '/commands', method: 'POST' }, (response) => {
      readBody(response).then(resolve, reject)
    })
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined)
      else reject(error)
    })
    outgoing.end(body)
  })
}
