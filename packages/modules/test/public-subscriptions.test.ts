import assert from 'node:assert/strict'
import { type Client, story } from '@tactus/testkit'
import { create, get, newNode, rule, service } from './pubsub/service-words.ts'
import { ask, form, item, julietBalcony, NS, owner, pubsub, romeoHome } from './pubsub/words.ts'

const PAM = 'urn:xmpp:pam:0'
const NS_PUBLIC = 'urn:xmpp:pps:0'
const followed = 'urn:xmpp:pps:subscriptions:0'
const mercutioJid = 'mercutio@montague.example/square'

/** Asks the own server for it, as XEP-0376 has it. */
async function says(client: Client, action: string, node: string, more = ''): Promise<string> {
  const content = `<${action} xmlns='${NS}' node='${node}' jid='${client.account}'>${more}</${action}>`
  await client.send`<iq type='set' id='pam'><pam xmlns='${PAM}' jid='${service}'>${content}</pam></iq>`
  const answer = await client.hears('pam')
  client.drain()
  return String(answer.attrs.type)
}
const follow = (client: Client, node: string) =>
  says(client, 'subscribe', node, `<public xmlns='${NS_PUBLIC}'/>`)
const items = (client: Client, to: string) => get(client, `<items node='${followed}'/>`, to)
/** What somebody follows, as others see it. */
const followedBy = async (client: Client, to: string): Promise<string[]> =>
  [
    ...(await items(client, to)).matchAll(
      new RegExp(
        `<item id='[^']*'><subscription xmlns='${NS_PUBLIC}' node='([^']*)' jid='${service}'/></item>`,
        'g',
      ),
    ),
  ].map((found) => found[1] ?? '')

story(
  'XEP-0465 §4.1, §4.2: what somebody follows for all to see, anybody sees',
  async ({ online }) => {
    const [juliet, romeo] = [await online(julietBalcony), await online(romeoHome)]
    const mercutio = await online(mercutioJid)
    const [open, secret] = [newNode(), newNode()]
    for (const node of [open, secret]) await create(juliet, node)

    assert.equal(await follow(romeo, open), 'result')
    assert.equal(await says(romeo, 'subscribe', secret), 'result')

    assert((await followedBy(mercutio, romeo.account)).includes(open))
    assert(!(await followedBy(mercutio, romeo.account)).includes(secret))
    const followers = `urn:xmpp:pps:subscribers:0/${open}`
    assert.match(
      await get(mercutio, `<items node='${followers}'/>`),
      new RegExp(`<subscriber xmlns='${NS_PUBLIC}' jid='${romeo.account}'/>`),
    )
    await says(romeo, 'unsubscribe', open)
  },
)

story(
  'XEP-0465 §4.3, §7: what is taken back is seen no more, as if there were no account',
  async ({ online }) => {
    const juliet = await online(julietBalcony)
    const mercutio = await online(mercutioJid)
    const paris = await online('paris@capulet.example/church')
    const [one, other] = [newNode(), newNode()]
    for (const node of [one, other]) await create(juliet, node)
    for (const node of [one, other]) await follow(paris, node)
    assert.deepEqual((await followedBy(mercutio, paris.account)).sort(), [one, other].sort())

    await says(paris, 'subscribe', one)
    assert.deepEqual(await followedBy(mercutio, paris.account), [other])
    await says(paris, 'unsubscribe', other)

    const hidden = 'auth: not-authorized presence-subscription-required'
    for (const to of [paris.account, 'nobody@capulet.example'])
      assert.equal(await items(mercutio, to), hidden, to)
  },
)

story('XEP-0465 §4.1: who waits for approval follows nothing yet', async ({ online }) => {
  const [juliet, nurse] = [await online(julietBalcony), await online('nurse@capulet.example/hall')]
  const mercutio = await online(mercutioJid)
  const node = newNode()
  await create(juliet, node, { access_model: 'authorize' })
  assert.equal(await follow(nurse, node), 'result')
  assert.doesNotMatch(await items(mercutio, nurse.account), new RegExp(node))

  const approved = `<subscription jid='${nurse.account}' subscription='subscribed'/>`
  await ask(
    juliet,
    'set',
    owner(`<subscriptions node='${node}'>${approved}</subscriptions>`),
    service,
  )
  await nurse.arrived(1)
  assert.deepEqual(await followedBy(mercutio, nurse.account), [node])

  await rule(juliet, `<delete node='${node}'/>`)
  await nurse.arrived(1)
  nurse.drain()
  assert.doesNotMatch(await items(mercutio, nurse.account), new RegExp(node))
})

story('XEP-0465 §5: the node is the server’s, also for the account', async ({ online }) => {
  const [juliet, benvolio] = [
    await online(julietBalcony),
    await online('benvolio@montague.example/street'),
  ]
  const node = newNode()
  await create(juliet, node)
  const refused = async () => {
    const claim = `<subscription xmlns='${NS_PUBLIC}' node='x' jid='${service}'/>`
    for (const content of [
      pubsub(`<publish node='${followed}'>${item('x', claim)}</publish>`),
      pubsub(`<retract node='${followed}'>${item('x')}</retract>`),
      pubsub(`<create node='${followed}'/>`),
      owner(`<purge node='${followed}'/>`),
      owner(`<delete node='${followed}'/>`),
    ])
      assert.equal(
        await ask(benvolio, 'set', content, benvolio.account),
        'auth: forbidden',
        content,
      )
  }
  await refused()
  await follow(benvolio, node)
  await refused()
  assert.deepEqual(await followedBy(juliet, benvolio.account), [node])
  const whitelist = form('node_config', { access_model: 'whitelist' })
  assert.equal(
    await ask(
      benvolio,
      'set',
      owner(`<configure node='${followed}'>${whitelist}</configure>`),
      benvolio.account,
    ),
    'done',
    'who sees it is for the account to say',
  )
  assert.deepEqual(await followedBy(juliet, benvolio.account), [])
  await says(benvolio, 'unsubscribe', node)
})
