import { join } from 'node:path'
import { test } from 'node:test'
import { hasClients, TestServer } from '@tactus/testkit'
import { twoPeopleChat } from './two-people-chat.ts'

interface Way {
  readonly title: string
  readonly domain: string
  readonly service: (server: TestServer) => string
}

/** How juliet comes in. Over WebSocket the certificate is for the name in the URL, which has to lead here. */
const ways: readonly Way[] = [
  {
    title: 'STARTTLS',
    domain: 'montague.example',
    service: (server) => `xmpp://127.0.0.1:${server.port('c2s', 0)}`,
  },
  {
    title: 'WebSocket with TLS',
    domain: 'localhost',
    service: (server) => `wss://localhost:${server.port('https', 0)}/xmpp-websocket`,
  },
]

for (const { title, domain, service } of ways) {
  test(`@xmpp/client over ${title} and slixmpp over direct TLS chat on a standalone server`, async (context) => {
    if (!hasClients(context, 'python3-slixmpp')) return
    await using server = await TestServer.standalone({
      hosts: { [domain]: {} },
      tls: { required: true, certificates: './certs' },
    })
    for (const name of ['juliet', 'romeo']) await server.addUser(`${name}@${domain}`, 'wherefore')
    await twoPeopleChat({
      domain,
      password: 'wherefore',
      service: service(server),
      directTls: { host: '127.0.0.1', port: server.port('c2sTls', 0) },
      authority: join(server.configuration.folder, 'data', 'certificates', `${domain}.crt`),
    })
  })
}
