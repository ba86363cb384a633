import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { realEnv } from '@tactus/env'
import { DnsClient } from '../src/s2s/dns/client.ts'
import { decodeMessage, encodeQuestion, MalformedAnswer } from '../src/s2s/dns/message.ts'
import { interleaved, raceTo } from '../src/s2s/eyeballs.ts'
import { dnsResolver } from '../src/s2s/resolver.ts'
import { NameServer, srvData } from './support/name-server.ts'

const limit = { timeout: 30_000 }
const settings = (server: string) => ({ servers: [server], timeout: 2_000, validating: false })

const service = '_xmpp-server._tcp.verona.lit'

test(
  'RFC 1035 §3.2.1: an answer is believed for as long as it says, then asked for anew',
  limit,
  async () => {
    await using names = await NameServer.start()
    const clock = { now: 0 }
    const env = realEnv()
    const resolver = dnsResolver(settings(names.address), {
      ...env,
      clock: { ...env.clock, monotonic: () => clock.now },
    })
    const ask = async () => (await resolver.srv(service))[0]
    names.records.set(service, [srvData(5269, 'one.lit')])

    assert.deepEqual(await ask(), {
      name: 'one.lit',
      port: 5269,
      priority: 0,
      weight: 0,
      secure: false,
    })
    names.records.set(service, [srvData(5271, 'two.lit')])
    clock.now = 59_999
    assert.equal((await ask())?.port, 5269)
    clock.now = 60_001
    assert.equal((await ask())?.port, 5271)
    assert.equal(names.asked, 2)
  },
)

test(
  'RFC 2308 §5: that there is none is not believed at all where no SOA says for how long',
  limit,
  async () => {
    await using names = await NameServer.start()
    const resolver = dnsResolver(settings(names.address), realEnv())

    assert.deepEqual(await resolver.srv(service), [])
    names.records.set(service, [srvData(5269, 'one.lit')])
    assert.equal((await resolver.srv(service)).length, 1)
    assert.deepEqual(await resolver.srv(`${'a'.repeat(64)}.lit`), [], 'no name at all')
  },
)

test(
  'RFC 5452 §9: what answers something else is not heard; RFC 7766 §5: what does not fit comes by TCP',
  limit,
  async () => {
    await using names = await NameServer.start()
    const bad = [Buffer.from([6, 6, 6, 6])]
    names.answers = (query) => {
      const id = names.answer(query, bad)
      id.writeUInt16BE(id.readUInt16BE(0) ^ 1, 0)
      const name = names.answer(encodeQuestion(query.readUInt16BE(0), 'padua.lit', 1), bad)
      return [id, name, Buffer.from('nonsense'), names.answer(query, [], 0x8380)]
    }
    const tcp = createServer((socket) =>
      socket.once('data', (data: Buffer) => {
        const reply = names.answer(data.subarray(2), [Buffer.from([192, 0, 2, 7])])
        socket.write(Buffer.concat([Buffer.from([0, reply.length]), reply]))
      }),
    ).listen(names.port, '127.0.0.1')
    await once(tcp, 'listening')
    const client = new DnsClient({ servers: [names.address], timeout: 2_000 })
    const { bytes, answers } = await client.ask('verona.lit', 1)
    tcp.close()

    assert.deepEqual(
      answers.map(({ from, to }) => bytes.subarray(from, to).join('.')),
      ['192.0.2.7'],
    )
  },
)

test('RFC 1035 §4.1.4: whatever is sent, reading it ends', () => {
  const circle = Buffer.concat([Buffer.alloc(12), Buffer.from([0xc0, 12, 0, 1, 0, 1])])
  circle.writeUInt16BE(1, 4)
  assert.throws(() => decodeMessage(circle), MalformedAnswer)
  const question = encodeQuestion(7, 'verona.lit', 33)
  for (let end = 0; end < question.length; end += 1)
    try {
      decodeMessage(question.subarray(0, end))
    } catch (error) {
      assert(error instanceof MalformedAnswer)
    }
})

test('a name server that is away is passed over for the next', limit, async () => {
  await using names = await NameServer.start()
  names.records.set('host.verona.lit', [Buffer.from([192, 0, 2, 7])])
  const client = new DnsClient({ servers: ['127.0.0.1:1', names.address], timeout: 2_000 })

  assert.equal((await client.ask('host.verona.lit', 1)).answers.length, 1)
})

test(
  'RFC 8305 §4, §5: the families take turns, and one address that is dead does not hide the next',
  limit,
  async () => {
    assert.deepEqual(interleaved(['2001:db8::1', '2001:db8::2', '192.0.2.1']), [
      '2001:db8::1',
      '192.0.2.1',
      '2001:db8::2',
    ])
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    // The first is refused or never answers, depending on where this runs; the second refuses.
    const socket = await raceTo({
      addresses: ['192.0.2.1', '127.0.0.9', '127.0.0.1'],
      port,
      timeout: 10_000,
    })
    assert.equal(socket.remoteAddress, '127.0.0.1')
    socket.destroy()
    server.close()
    await assert.rejects(
      raceTo({ addresses: ['127.0.0.9'], port, timeout: 10_000 }),
      /ECONNREFUSED/,
    )
  },
)
