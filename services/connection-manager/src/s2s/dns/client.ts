import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { getServers } from 'node:dns'
import { connect, isIPv6 } from 'node:net'
import { type DnsMessage, decodeMessage, encodeQuestion, MalformedAnswer } from './message.ts'

/** Whom to ask, and how long to wait. */
export interface DnsSettings {
  /** Addresses with or without ports; those of the system when empty. */
  readonly servers: readonly string[]
  /** Milliseconds for one question to one server. */
  readonly timeout: number
}

interface NameServer {
  readonly host: string
  readonly port: number
}

interface Question {
  readonly id: number
  readonly name: string
  readonly type: number
  readonly bytes: Buffer
}

/** Rounds over all servers before nobody counts as there. */
const rounds = 2
const codes = { none: 0, noSuchName: 3 } as const

/** Nobody answered, or nobody could tell: another time it may be different. */
export class DnsUnavailable extends Error {}

/**
 * Asks name servers (RFC 1035): over UDP, and over TCP where an answer did not fit.
 *
 * SECURITY: each question has a port and an id of its own, by chance, and an answer counts only when it repeats both and
 * the question, so that who only guesses has a hard time (RFC 5452).
 */
export class DnsClient {
  readonly #servers: readonly NameServer[] | undefined
  readonly #timeout: number

  constructor({ servers, timeout }: DnsSettings) {
    this.#servers = servers.length > 0 ? servers.map(parseServer) : undefined
    this.#timeout = timeout
  }

  /** An answer that says what there is, or that there is none. @throws {DnsUnavailable} @throws {MalformedAnswer} no name */
  async ask(name: string, type: number): Promise<DnsMessage> {
    const id = randomInt(0x10000)
    const question: Question = { id, name, type, bytes: encodeQuestion(id, name, type) }
    const servers = this.#servers ?? getServers().map(parseServer)
    let cause: unknown
    for (let round = 0; round < rounds; round += 1)
      for (const server of servers)
        try {
          return await this.#askOne(server, question)
        } catch (error) {
          cause = error
        }
    throw new DnsUnavailable(`no name server could tell about ${name}`, { cause })
  }

  async #askOne(server: NameServer, question: Question): Promise<DnsMessage> {
    const first = await overUdp(server, question, this.#timeout)
    const answer = first.isTruncated ? await overTcp(server, question, this.#timeout) : first
    if (answer.code === codes.none || answer.code === codes.noSuchName) return answer
    throw new DnsUnavailable(`${server.host} answered with code ${answer.code}`)
  }
}

function overUdp({ host, port }: NameServer, question: Question, timeout: number) {
  return new Promise<DnsMessage>((resolve, reject) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    const settle = (outcome: () => void): void => {
      clearTimeout(timer)
      socket.removeAllListeners()
      socket.on('error', () => {})
      socket.close()
      outcome()
    }
    const fail = (error: Error): void => settle(() => reject(error))
    const timer = setTimeout(() => fail(new Error(`${host} did not answer in time`)), timeout)
    socket.once('error', fail)
    // What is not the answer is not waited for any less: it may be somebody else's attempt.
    socket.on('message', (bytes: Buffer) => {
      const answer = answerTo(question, bytes)
      if (answer) settle(() => resolve(answer))
    })
    // Connected, so that the system drops what comes from elsewhere, and tells when nobody listens.
    socket.connect(port, host, () => socket.send(question.bytes))
  })
}

function overTcp({ host, port }: NameServer, question: Question, timeout: number) {
  return new Promise<DnsMessage>((resolve, reject) => {
    const socket = connect({ host, port })
    let received = Buffer.alloc(0)
    const settle = (outcome: () => void): void => {
      clearTimeout(timer)
      socket.removeAllListeners()
      socket.on('error', () => {})
      socket.destroy()
      outcome()
    }
    const fail = (error: Error): void => settle(() => reject(error))
    const timer = setTimeout(() => fail(new Error(`${host} did not answer in time`)), timeout)
    socket.once('error', fail)
    socket.once('close', () => fail(new Error(`${host} hung up`)))
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      const answer = answerTo(question, received.subarray(2, 2 + received.readUInt16BE(0)))
      if (answer) settle(() => resolve(answer))
      else fail(new Error(`${host} answered something else`))
    })
    const length = Buffer.alloc(2)
    length.writeUInt16BE(question.bytes.length, 0)
    socket.write(Buffer.concat([length, question.bytes]))
  })
}

function answerTo({ id, name, type }: Question, bytes: Buffer): DnsMessage | undefined {
  try {
    const message = decodeMessage(bytes)
    const asked = message.question
    const isOurs = message.isResponse && message.id === id && asked?.type === type
    return isOurs && asked.name === name.toLowerCase().replace(/\.$/, '') ? message : undefined
  } catch (error) {
    if (error instanceof MalformedAnswer) return undefined
    throw error
  }
}

/** `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`. */
function parseServer(text: string): NameServer {
  const found = /^\[([^\]]+)\](?::(\d+))?$/.exec(text) ?? /^([^:]+)(?::(\d+))?$/.exec(text)
  const [, host = text, port = '53'] = found ?? []
  return { host, port: Number(port) }
}
