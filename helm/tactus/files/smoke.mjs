// Opens a stream at both client ports, as far as a stranger can go, and says what is wrong.
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

const { HOST: host, DOMAIN: domain, PORT = '5222', TLS_PORT = '5223' } = process.env
const header = `<?xml version='1.0'?><stream:stream to='${domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`

function featuresOf(socket, opened) {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.setTimeout(15_000, () => socket.destroy(new Error('no answer within 15 s')))
    socket.once(opened, () => socket.write(header))
    socket.on('data', (chunk) => {
      text += chunk
      if (!text.includes('</stream:features>')) return
      socket.end('</stream:stream>')
      resolve(text)
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`closed after: ${text}`)))
  })
}

async function check(name, wanted, connecting) {
  const features = await connecting()
  if (!features.includes(wanted)) throw new Error(`${name}: no ${wanted} in ${features}`)
  process.stdout.write(`${name}: ${domain} answers\n`)
}

await check('STARTTLS', 'urn:ietf:params:xml:ns:xmpp-tls', () =>
  featuresOf(connect({ host, port: Number(PORT) }), 'connect'),
)
// Whether the certificate is one to trust is for the clients to say.
const tls = { servername: domain, ALPNProtocols: ['xmpp-client'], rejectUnauthorized: false }
await check('direct TLS', 'urn:ietf:params:xml:ns:xmpp-sasl', () =>
  featuresOf(connectTls({ host, port: Number(TLS_PORT), ...tls }), 'secureConnect'),
)
