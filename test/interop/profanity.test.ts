import { test } from 'node:test'
import { hasClients, TestServer } from '@tactus/testkit'
import { Terminal } from './terminal.ts'

const domain = 'montague.example'
const password = 'wherefore'

async function login(server: TestServer, name: string): Promise<Terminal> {
  const terminal = await Terminal.open('profanity')
  await terminal.shows('/help')
  const where = `server 127.0.0.1 port ${server.port('c2s', 0)} tls trust`
  await terminal.type(`/connect ${name}@${domain} ${where}`)
  await terminal.shows('assword')
  await terminal.type(password)
  await terminal.shows('logged in successfully')
  return terminal
}

test('profanity logs in, chats, finds what waited, and sees what was said before', async (context) => {
  if (!hasClients(context, 'profanity', 'tmux')) return
  await using server = await TestServer.standalone({
    tls: { required: true, certificates: './certs' },
  })
  for (const name of ['juliet', 'romeo']) await server.addUser(`${name}@${domain}`, password)
  {
    await using juliet = await login(server, 'juliet')
    await using romeo = await login(server, 'romeo')
    await juliet.type(`/msg romeo@${domain} O Romeo, Romeo!`)
    await romeo.shows(`juliet@${domain}`)
    await romeo.type(`/msg juliet@${domain} Shall I hear more?`)
    await romeo.shows('O Romeo, Romeo!')
    await juliet.shows('Shall I hear more?')
    await romeo.type('/quit')
    await juliet.type(`/msg romeo@${domain} Parting is such sweet sorrow`)
    await juliet.shows('Parting is such sweet sorrow')
  }
  await using romeo = await login(server, 'romeo')
  await romeo.type(`/msg juliet@${domain} Sleep dwell upon thine eyes`)
  await romeo.shows('Parting is such sweet sorrow')
  // XEP-0313: this terminal knows nothing of the earlier one.
  await romeo.type('/close')
  await romeo.type('/mam on')
  await romeo.type(`/msg juliet@${domain}`)
  await romeo.shows('O Romeo, Romeo!')
  await romeo.shows('Shall I hear more?')
})
