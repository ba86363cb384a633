import assert from 'node:assert/strict'
import { test } from 'node:test'
import { header, password, plainAuth, RawClient } from './support/client.ts'
import { host, scene } from './support/scene.ts'

test('RFC 6120 §9.1: pipelined authentication and binding, then stanzas both ways in order', async () => {
  await using stage = await scene()
  const romeo = await stage.login('romeo')
  const benvolio = await stage.login('benvolio')
  for (let n = 0; n < 200; n += 1)
    romeo.send(`<message to='benvolio@montague.example' id='m${n}'><body>${n}</body></message>`)
  const heard = await benvolio.until("id='m199'")
  const ids = [...heard.matchAll(/id='m(\d+)'/g)].map(([, id]) => Number(id))
  assert.deepEqual(
    ids,
    Array.from({ length: 200 }, (_, n) => n),
  )
  romeo.close()
  benvolio.close()
})

test('RFC 6121 §2.6.1, §3.4, XEP-0352 §4.1: what needs no negotiation is offered to whoever authenticated', async () => {
  await using stage = await scene()
  const client = await RawClient.connect(stage.port)
  client.send(header(host))
  const before = await client.until('</stream:features>')
  client.send(plainAuth('romeo', password) + header(host))
  await client.until('<success')
  const after = await client.until('</stream:features>')
  client.close()

  for (const feature of [
    /<ver xmlns=["']urn:xmpp:features:rosterver["']\/>/,
    /<sub xmlns=["']urn:xmpp:features:pre-approval["']\/>/,
    /<csi xmlns=["']urn:xmpp:csi:0["']\/>/,
  ]) {
    assert.doesNotMatch(before, feature)
    assert.match(after, feature)
  }
})
