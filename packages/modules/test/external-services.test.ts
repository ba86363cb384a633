import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { type Client, story } from '@tactus/testkit'
import { externalServicesConfig } from '../src/external-services/config.ts'

const NS = 'urn:xmpp:extdisco:2'
const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const romeoHome = 'romeo@montague.example/home'
const host = 'montague.example'
const secret = 'north'
const settings = {
  modules: {
    'external-services': {
      services: [
        { type: 'stun', host: 'stun.example', port: 3_478, transport: 'udp' },
        { type: 'turn', host: 'turn.example', port: 3_478, transport: 'udp', secret },
        {
          type: 'turn',
          host: 'turn.example',
          port: 5_349,
          transport: 'tcp',
          name: 'By TCP',
          secret,
        },
        { type: 'ftp', host: '192.0.2.1', username: 'guest', password: 'pass' },
      ],
      lifetime: 3_600,
    },
  },
}

async function ask(client: Client, content: string, to = host) {
  await client.send`<iq type='get' id='1' to='${to}'>${content}</iq>`
  const [answer] = client.drain()
  assert.ok(answer)
  return answer
}
const services = async (client: Client, attrs = '') =>
  (await ask(client, `<services xmlns='${NS}' ${attrs}/>`))
    .child('services', NS)
    ?.getChildElements() ?? []

story(
  'XEP-0215 §3.1: all services are listed, with what they are used with',
  settings,
  async ({ connect }) => {
    const romeo = await connect(romeoHome)

    const [stun, udp, tcp, ftp] = (await services(romeo)).map(({ attrs }) => attrs)

    assert.deepEqual(
      { ...stun },
      { type: 'stun', host: 'stun.example', port: '3478', transport: 'udp' },
    )
    assert.equal(udp?.restricted, 'true')
    assert.equal(tcp?.name, 'By TCP')
    assert.deepEqual(
      { ...ftp },
      { type: 'ftp', host: '192.0.2.1', restricted: 'true', username: 'guest', password: 'pass' },
    )
  },
)

story(
  'XEP-0215 §3.3: credentials of a TURN server expire, and name nobody',
  settings,
  async ({ connect }) => {
    const romeo = await connect(romeoHome)

    const [turn] = await services(romeo, "type='turn'")

    const { username = '', password, expires } = turn?.attrs ?? {}
    const [expiry, user] = username.split(':')
    assert.equal(password, createHmac('sha1', secret).update(username).digest('base64'))
    assert.equal(Date.parse(expires ?? ''), Number(expiry) * 1_000)
    assert.match(user ?? '', /^[\w-]{16}$/)
  },
)

story('XEP-0215 §3.2: services of one type', settings, async ({ connect }) => {
  const romeo = await connect(romeoHome)

  assert.deepEqual(
    (await services(romeo, "type='stun'")).map(({ attrs }) => attrs.host),
    ['stun.example'],
  )
  assert.deepEqual(await services(romeo, "type='x'"), [])
})

for (const [what, attrs, count] of [
  ['a host', `host='turn.example' type='turn'`, 2],
  ['a port of it', `host='turn.example' type='turn' port='5349'`, 1],
] as const)
  story(`XEP-0215 §3.3: credentials for ${what}`, settings, async ({ connect }) => {
    const romeo = await connect(romeoHome)
    const answer = await ask(romeo, `<credentials xmlns='${NS}'><service ${attrs}/></credentials>`)
    const found = answer.child('credentials', NS)?.getChildElements() ?? []
    assert.equal(found.length, count)
    assert.ok(found.every((service) => service.attrs.username && service.attrs.password))
  })

for (const [what, attrs, condition] of [
  ['a service that there is not', `host='x.example' type='turn'`, 'item-not-found'],
  ['one that needs none', `host='stun.example' type='stun'`, 'item-not-found'],
  ['no type', `host='turn.example'`, 'bad-request'],
] as const)
  story(
    `XEP-0215 §3.3: credentials for ${what} are ${condition}`,
    settings,
    async ({ connect }) => {
      const romeo = await connect(romeoHome)
      const answer = await ask(
        romeo,
        `<credentials xmlns='${NS}'><service ${attrs}/></credentials>`,
      )
      assert.ok(answer.child('error', 'jabber:client')?.getChild(condition, NS_ERRORS))
    },
  )

story('accounts of another host get nothing', settings, async ({ connect }) => {
  const juliet = await connect('juliet@capulet.example/balcony')
  const answer = await ask(juliet, `<services xmlns='${NS}'/>`)
  assert.ok(answer.child('error', 'jabber:client')?.getChild('forbidden', NS_ERRORS))
})

story('XEP-0215 §5: it is announced, and no secret with it', settings, async ({ connect }) => {
  const romeo = await connect(romeoHome)
  const answer = await ask(romeo, `<query xmlns='http://jabber.org/protocol/disco#info'/>`)
  const text = Buffer.from(answer.bytes).toString()
  assert.ok(text.includes(NS))
  assert.ok(!text.includes(secret))
})

story('XEP-0215 §5: a host without services does not announce it', async ({ connect }) => {
  const romeo = await connect(romeoHome)
  const answer = await ask(romeo, `<query xmlns='http://jabber.org/protocol/disco#info'/>`)
  assert.ok(!Buffer.from(answer.bytes).includes(NS))
})

test('a secret survives that settings are read twice, and no dump of them shows it', () => {
  const once = externalServicesConfig.parse({ services: [{ type: 'turn', host: 'x', secret }] })
  const twice = externalServicesConfig.parse(once)

  assert.equal(twice.services[0]?.secret?.reveal(), secret)
  assert.ok(!JSON.stringify(twice).includes(secret))
})
