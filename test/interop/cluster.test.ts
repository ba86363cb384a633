import { join } from 'node:path'
import { test } from 'node:test'
import { clusterServices, hasClients, TestServer } from '@tactus/testkit'
import { twoPeopleChat } from './two-people-chat.ts'

test('@xmpp/client and slixmpp chat on different connection managers of a cluster', async (context) => {
  if (!hasClients(context, 'python3-slixmpp')) return
  const services = await clusterServices(context)
  if (!services) return
  const domain = 'montague.example'
  await using server = await TestServer.cluster(services, {
    tls: { required: true, certificates: './certs' },
  })
  for (const name of ['juliet', 'romeo']) await server.addUser(`${name}@${domain}`, 'wherefore')
  await twoPeopleChat({
    domain,
    password: 'wherefore',
    service: `xmpp://127.0.0.1:${server.port('c2s', 0)}`,
    directTls: { host: '127.0.0.1', port: server.port('c2sTls', 1) },
    authority: join(server.configuration.folder, 'data', 'certificates', `${domain}.crt`),
  })
})
