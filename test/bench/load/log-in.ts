import { randomBytes } from 'node:crypto'
import { type Door, LoadConnection } from './connection.ts'
import { prove } from './scram.ts'

/** Who logs in; without a localpart, a guest (SASL ANONYMOUS). */
export interface Identity {
  readonly localpart: string | undefined
  readonly domain: string
  readonly password: string
}

/** A session of the load client, available. */
export interface LoadSession {
  readonly connection: LoadConnection
  readonly jid: string
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** Connects, authenticates, binds a resource and becomes available. @throws {Error} saying what the server answered */
export async function logIn(door: Door, identity: Identity): Promise<LoadSession> {
  const connection = new LoadConnection(door, identity.domain)
  try {
    await connection.open()
    await authenticate(connection, identity)
    await connection.open()
    const jid = await bind(connection)
    connection.write('<presence/>')
    return { connection, jid }
  } catch (error) {
    connection.destroy()
    throw error
  }
}

async function authenticate(
  connection: LoadConnection,
  { localpart, password }: Identity,
): Promise<void> {
  const auth = (mechanism: string, initial: string): void =>
    connection.write(
      `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='${mechanism}'>${initial}</auth>`,
    )
  if (localpart === undefined) {
    auth('ANONYMOUS', '=')
    await connection.until('<success')
    await connection.until('>')
    return
  }
  const bare = `n=${localpart},r=${randomBytes(18).toString('base64url')}`
  auth('SCRAM-SHA-1', base64(`n,,${bare}`))
  const challenge = contentOf(await connection.until('</challenge>'))
  const proof = prove(localpart, password, bare, challenge)
  connection.write(
    `<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${base64(proof.message)}</response>`,
  )
  if (!proof.isFromServer(contentOf(await connection.until('</success>'))))
    throw new Error('the server does not know the password either')
}

/** The decoded text of the element that ends here. */
function contentOf(text: string): string {
  const encoded = text.slice(
    text.lastIndexOf('>', text.lastIndexOf('<')) + 1,
    text.lastIndexOf('<'),
  )
  return Buffer.from(encoded, 'base64').toString()
}

async function bind(connection: LoadConnection): Promise<string> {
  connection.write("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
  const before = await connection.until('</jid>')
  const jid = before.slice(before.lastIndexOf('<jid>') + 5, -6)
  await connection.until('</iq>')
  return jid
}
