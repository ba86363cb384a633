import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import { create, newNode, service, subscribe } from './pubsub/service-words.ts'
import { ask, item, julietBalcony, NS, options, publish, romeoHome, tune } from './pubsub/words.ts'

const NS_COMMANDS = 'http://jabber.org/protocol/commands'
const NS_DISCO = 'http://jabber.org/protocol/disco'
const command = `${NS}#get-pending`

const run = (client: Client, content = '', { to = service, attrs = '' } = {}) =>
  ask(
    client,
    'set',
    `<command xmlns='${NS_COMMANDS}' node='${command}' ${attrs}>${content}</command>`,
    to,
  )
const choose = (node: string) =>
  `<x xmlns='jabber:x:data' type='submit'><field var='pubsub#node'><value>${node}</value></field></x>`
const offered = (answer: string): string[] =>
  [...answer.matchAll(/<option><value>([^<]*)<\/value>/g)].map((found) => found[1] ?? '')

story(
  'XEP-0060 §8.7: an owner hears where somebody waits, and is asked about each',
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const paris = await online('paris@capulet.example/church')
    const [awaited, quiet, others] = [newNode(), newNode(), newNode()]
    for (const node of [awaited, quiet]) await create(juliet, node, { access_model: 'authorize' })
    await create(paris, others, { access_model: 'authorize' })
    assert.match(await subscribe(juliet, quiet), /subscription='subscribed'/)
    for (const node of [awaited, others])
      assert.match(await subscribe(romeo, node), /subscription='pending'/)
    assert.match(await subscribe(paris, awaited), /subscription='pending'/)
    juliet.drain()

    const first = await run(juliet)
    assert.match(first, /status='executing'/)
    assert.match(first, /FORM_TYPE'[^>]*><value>[^<]*#subscribe_authorization</)
    const names = offered(first)
    assert(names.includes(awaited))
    assert(!names.includes(quiet) && !names.includes(others))
    const session = /sessionid='([^']*)'/.exec(first)?.[1] ?? assert.fail(first)

    await juliet.send`<iq type='set' id='chosen' to='${service}'><command xmlns='${NS_COMMANDS}' node='${command}' sessionid='${session}'>${choose(awaited)}</command></iq>`
    const done = String(await juliet.hears('chosen'))
    assert.match(done, new RegExp(`sessionid='${session}' status='completed'`))
    await juliet.arrived(2)
    const asked = juliet.drain().map((message) => {
      const text = String(message)
      assert.match(text, new RegExp(`var='pubsub#node'[^>]*><value>${awaited}</value>`))
      return /var='pubsub#subscriber_jid'[^>]*><value>([^<]*)</.exec(text)?.[1]
    })
    assert.deepEqual(asked.sort(), [paris.account, romeo.account])
    await paris.receivesNothing()
  },
)

story('XEP-0060 §8.7.3: who may not approve, and what is not there', async ({ online }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  const node = newNode()
  await create(juliet, node, { access_model: 'authorize' })
  await subscribe(romeo, node)
  juliet.drain()

  assert.deepEqual(offered(await run(romeo)).includes(node), false)
  assert.equal(await run(romeo, choose(node)), 'auth: forbidden')
  assert.equal(await run(juliet, choose(newNode())), 'cancel: item-not-found')
  assert.equal(await run(juliet, `<x xmlns='jabber:x:data' type='submit'/>`), 'modify: bad-request')
  assert.match(await run(juliet, '', { attrs: `action='cancel'` }), /status='canceled'/)
  assert.equal(
    await ask(juliet, 'set', `<command xmlns='${NS_COMMANDS}' node='shutdown'/>`, service),
    'cancel: item-not-found',
  )
})

story('XEP-0060 §8.7: an account is asked by nobody but itself', async ({ online, befriend }) => {
  const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
  await befriend(juliet, romeo)
  const node = newNode()
  await publish(juliet, node, item('a', tune('a')), options({ access_model: 'authorize' }))
  await subscribe(romeo, node, undefined, juliet.account)
  juliet.drain()

  const own = { to: juliet.account }
  assert.deepEqual(offered(await run(juliet, '', own)), [node])
  await juliet.send`<iq type='set' id='own' to='${juliet.account}'><command xmlns='${NS_COMMANDS}' node='${command}'>${choose(node)}</command></iq>`
  await juliet.hears('own')
  await juliet.arrived(1)
  assert.match(String(juliet.drain()[0]), new RegExp(`<value>${romeo.account}</value>`))
  for (const to of [juliet.account, 'nobody@capulet.example'])
    assert.equal(await run(romeo, choose(node), { to }), 'cancel: service-unavailable', to)
})

story('XEP-0050 §2: the command is found where all are', async ({ online }) => {
  const juliet = await online(julietBalcony)
  const disco = (what: string, node: string) =>
    ask(juliet, 'get', `<query xmlns='${NS_DISCO}#${what}' node='${node}'/>`, service)

  assert.match(await disco('items', NS_COMMANDS), new RegExp(`node='${command}'`))
  assert.match(await disco('info', NS_COMMANDS), /type='command-list'/)
  assert.match(await disco('info', command), /type='command-node'/)
})
