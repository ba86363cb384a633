import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'

const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const prefs = (content = '') => `<exodus xmlns='exodus:prefs'>${content}</exodus>`
const query = (content: string) => `<query xmlns='jabber:iq:private'>${content}</query>`

story('XEP-0049 §2: what one device stores, another finds', async ({ connect }) => {
  const home = await connect('hamlet@montague.example/home')
  const court = await connect('hamlet@montague.example/court')

  await home.send`<iq type='set' id='1'>${query(prefs('<defaultnick>Hamlet</defaultnick>'))}</iq>`
  await court.send`<iq type='get' id='2'>${query(prefs())}</iq>`

  home.receives`<iq type='result' id='1' to='${home.jid}'/>`
  court.receives`<iq type='result' id='2' to='${court.jid}'>${query(prefs('<defaultnick>Hamlet</defaultnick>'))}</iq>`
  await home.receivesNothing()
})

story('XEP-0049 §2: where nothing is stored the element comes back empty', async ({ connect }) => {
  const hamlet = await connect('hamlet@montague.example/home')

  await hamlet.send`<iq type='get' id='1'>${query(prefs())}</iq>`

  hamlet.receives`<iq type='result' id='1' to='${hamlet.jid}'>${query(prefs())}</iq>`
})

story('XEP-0049 §2: several elements of one namespace in one set', async ({ connect }) => {
  const hamlet = await connect('hamlet@montague.example/home')

  await hamlet.send`<iq type='set' id='1'>${query("<a xmlns='urn:x'>1</a><b xmlns='urn:x'>2</b>")}</iq>`
  await hamlet.send`<iq type='get' id='2'>${query("<b xmlns='urn:x'/>")}</iq>`

  hamlet.receives`<iq type='result' id='1' to='${hamlet.jid}'/>`
  hamlet.receives`<iq type='result' id='2' to='${hamlet.jid}'>${query("<b xmlns='urn:x'>2</b>")}</iq>`
})

story('XEP-0049 §2: the drawer of somebody else stays shut', async ({ connect }) => {
  const macbeth = await connect('macbeth@capulet.example/castle')
  const hamlet = await connect('hamlet@montague.example/home')

  await hamlet.send`<iq type='set' id='1' to='${macbeth.account}'>${query(prefs('<a/>'))}</iq>`
  await hamlet.send`<iq type='get' id='2' to='${macbeth.account}'>${query(prefs())}</iq>`

  for (const id of ['1', '2'])
    hamlet.receives`<iq type='error' id='${id}' from='${macbeth.account}' to='${hamlet.jid}'><error type='cancel'><service-unavailable xmlns='${NS_ERRORS}'/></error></iq>`
  await macbeth.receivesNothing()
})

for (const [what, type, content, error] of [
  ['a get that asks for nothing is bad-request', 'get', '', 'bad-request'],
  [
    'a get that asks for two is bad-request',
    'get',
    "<a xmlns='u:1'/><b xmlns='u:2'/>",
    'bad-request',
  ],
  ['a set without content is not-acceptable', 'set', '', 'not-acceptable'],
  [
    'a set with a namespace that no index takes is not-acceptable',
    'set',
    `<a xmlns='urn:${'x'.repeat(3_000)}'/>`,
    'not-acceptable',
  ],
  ['a set without a namespace of its own is not-acceptable', 'set', '<a/>', 'not-acceptable'],
] as const)
  story(`XEP-0049 §2: ${what}`, async ({ connect }) => {
    const hamlet = await connect('hamlet@montague.example/home')

    await hamlet.send`<iq type='${type}' id='1' to='${hamlet.account}'>${query(content)}</iq>`

    hamlet.receives`<iq type='error' id='1' from='${hamlet.account}' to='${hamlet.jid}'><error type='modify'><${error} xmlns='${NS_ERRORS}'/></error></iq>`
  })

story(
  'a fragment is stored up to its limit',
  { modules: { 'private-storage': { fragmentBytes: 40 } } },
  async ({ connect }) => {
    const hamlet = await connect('hamlet@montague.example/home')
    const filler = (length: number) => 'x'.repeat(length)

    await hamlet.send`<iq type='set' id='1'>${query(`<a xmlns='u:1'>${filler(21)}</a>`)}</iq>`
    await hamlet.send`<iq type='set' id='2' to='${hamlet.account}'>${query(`<a xmlns='u:1'>${filler(22)}</a>`)}</iq>`

    hamlet.receives`<iq type='result' id='1' to='${hamlet.jid}'/>`
    hamlet.receives`<iq type='error' id='2' from='${hamlet.account}' to='${hamlet.jid}'><error type='modify'><policy-violation xmlns='${NS_ERRORS}'/></error></iq>`
  },
)

story(
  'an account that is made anew finds an empty drawer',
  { memoryOnly: 'only there the kit makes an account twice' },
  async ({ connect, command }) => {
    const hamlet = await connect('hamlet@montague.example/home')
    await hamlet.send`<iq type='set' id='1'>${query(prefs('<a/>'))}</iq>`

    await command('user delete', { jid: hamlet.account })
    const reborn = await connect('hamlet@montague.example/home')
    await reborn.send`<iq type='get' id='2'>${query(prefs())}</iq>`

    reborn.receives`<iq type='result' id='2' to='${reborn.jid}'>${query(prefs())}</iq>`
  },
)

story(
  'an account has so many fragments; those that it has may change',
  { modules: { 'private-storage': { fragments: 2 } } },
  async ({ connect }) => {
    const juliet = await connect('juliet@capulet.example/balcony')
    const set = async (ns: string): Promise<string | undefined> => {
      await juliet.send`<iq type='set' id='p'><query xmlns='jabber:iq:private'><x xmlns='${ns}'/></query></iq>`
      return juliet.drain()[0]?.type
    }

    assert.deepEqual(
      [await set('urn:a'), await set('urn:b'), await set('urn:a')],
      ['result', 'result', 'result'],
    )
    assert.equal(await set('urn:c'), 'error')
    assert.equal(await set('urn:b'), 'result')
  },
)
