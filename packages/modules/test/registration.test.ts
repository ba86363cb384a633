import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import { assertAlike } from './likeness.ts'

const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const query = (content = '') => `<query xmlns='jabber:iq:register'>${content}</query>`
const password = (text: string, username = 'juliet') =>
  query(`<username>${username}</username><password>${text}</password>`)

story('XEP-0077 §3.1: a registered account is told that it is one', async ({ connect }) => {
  const juliet = await connect('juliet@capulet.example/balcony')

  await juliet.send`<iq type='get' id='r1' to='capulet.example'>${query()}</iq>`

  juliet.receives`<iq type='result' id='r1' from='capulet.example' to='${juliet.jid}'>${query('<registered/><username>juliet</username><password/>')}</iq>`
})

story('XEP-0077 §3.3: a changed password ends the other sessions', async ({ connect }) => {
  const juliet = await connect('juliet@capulet.example/balcony')
  const stolen = await connect('juliet@capulet.example/stolen')

  await juliet.send`<iq type='set' id='r1' to='capulet.example'>${password('wherefore-art-thou')}</iq>`

  juliet.receives`<iq type='result' id='r1' from='capulet.example' to='${juliet.jid}'/>`
  assert.equal(juliet.ended(), undefined)
  assert.equal(stolen.ended(), 'reset')
})

story('XEP-0077 §3.3: a password is changed once in a while', async ({ connect }) => {
  const juliet = await connect('juliet@capulet.example/balcony')
  await juliet.send`<iq type='set' id='r1' to='capulet.example'>${password('wherefore-art-thou')}</iq>`
  juliet.drain()

  await juliet.send`<iq type='set' id='r2' to='capulet.example'>${password('deny-thy-father')}</iq>`

  const [refused] = juliet.drain()
  assert.ok(String(refused).includes('resource-constraint'))
})

for (const [what, request, error] of [
  ['no password', query('<username>juliet</username>'), 'bad-request'],
  ['an empty password', password(''), 'bad-request'],
  ['no name', query('<password>wherefore-art-thou</password>'), 'bad-request'],
  ['the name of another', password('wherefore-art-thou', 'paris'), 'not-allowed'],
  ['a password too short', password('a'), 'not-acceptable'],
  ['a remove that is not alone', query('<remove/><username>juliet</username>'), 'bad-request'],
] as const)
  story(
    `XEP-0077 §3.2, §3.3: ${what} is ${error}, and nothing is sent back`,
    async ({ connect }) => {
      const juliet = await connect('juliet@capulet.example/balcony')

      await juliet.send`<iq type='set' id='r1' to='capulet.example'>${request}</iq>`

      const [refused] = juliet.drain()
      assert.equal(refused?.type, 'error')
      assert.ok(
        refused.child('error', 'jabber:client')?.getChild(error, NS_ERRORS),
        String(refused),
      )
      assert.ok(!refused.hasChild('query', 'jabber:iq:register'))
    },
  )

story('XEP-0077 §3.2: an account deletes itself', async ({ online, befriend }) => {
  const juliet = await online('juliet@capulet.example/balcony')
  const chamber = await online('juliet@capulet.example/chamber')
  const romeo = await online('romeo@montague.example/orchard')
  await befriend(juliet, romeo)

  await juliet.send`<iq type='set' id='r1'>${query('<remove/>')}</iq>`

  const heard = juliet.drain()
  assert.equal(heard[0]?.id, 'r1')
  assert.equal(heard[0]?.type, 'result')
  assert.deepEqual([juliet.ended(), chamber.ended()], ['not-authorized', 'not-authorized'])
  const gone = romeo.drain().filter(({ type }) => type === 'unavailable')
  assert.deepEqual(
    gone.map(({ from }) => from),
    [juliet.jid, chamber.jid],
  )
  await romeo.send`<iq type='get' id='v' to='juliet@capulet.example'><vCard xmlns='vcard-temp'/></iq>`
  assert.equal(romeo.drain()[0]?.type, 'error')
})

story(
  'XEP-0077 §3.2: an operator may keep accounts from deleting themselves',
  { modules: { registration: { cancel: false } } },
  async ({ connect }) => {
    const juliet = await connect('juliet@capulet.example/balcony')

    await juliet.send`<iq type='set' id='r1' to='capulet.example'>${query('<remove/>')}</iq>`

    juliet.receives`<iq type='error' id='r1' from='capulet.example' to='${juliet.jid}'><error type='cancel'><not-allowed xmlns='${NS_ERRORS}'/></error></iq>`
  },
)

story('nobody registers, changes or deletes for another', async ({ connect }) => {
  await connect('juliet@capulet.example/balcony')
  const paris = await connect('paris@capulet.example/palace')

  for (const content of [password('wherefore-art-thou'), query('<remove/>')])
    await assertAlike(
      paris,
      (account) => paris.send`<iq type='set' id='r1' to='${account}'>${content}</iq>`,
      ['juliet@capulet.example', 'nobody@capulet.example'],
    )
})
