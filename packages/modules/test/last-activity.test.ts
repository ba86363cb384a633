import { story } from '@tactus/testkit'
import { assertAlike } from './likeness.ts'

const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const last = (attributes = '', text = '') =>
  `<query xmlns='jabber:iq:last' ${attributes}>${text}</query>`

story(
  'XEP-0012 §4: a contact learns since when an account is away, and what it said',
  { memoryOnly: 'time passes' },
  async ({ online, befriend, pass }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const juliet = await online('juliet@capulet.example/balcony')
    await befriend(romeo, juliet)
    await juliet.send`<presence type='unavailable'><status>Heading Home</status></presence>`
    await juliet.close()
    await pass(903_000)
    romeo.drain()

    await romeo.send`<iq type='get' id='l1' to='${juliet.account}'>${last()}</iq>`

    romeo.receives`<iq type='result' id='l1' from='${juliet.account}' to='${romeo.jid}'>${last("seconds='903'", 'Heading Home')}</iq>`
  },
)

story('XEP-0012 §4: the last resource that leaves counts', async ({ online, befriend }) => {
  const romeo = await online('romeo@montague.example/orchard')
  const juliet = await online('juliet@capulet.example/balcony')
  const chamber = await online('juliet@capulet.example/chamber')
  await befriend(romeo, juliet)
  await juliet.close()
  romeo.drain()

  // One is still there: §4 asks for 0.
  await romeo.send`<iq type='get' id='l1' to='${juliet.account}'>${last()}</iq>`
  romeo.receives`<iq type='result' id='l1' from='${juliet.account}' to='${romeo.jid}'>${last("seconds='0'")}</iq>`

  await chamber.drop()
  romeo.drain()
  await romeo.send`<iq type='get' id='l2' to='${juliet.account}'>${last()}</iq>`
  romeo.receives`<iq type='result' id='l2' from='${juliet.account}' to='${romeo.jid}'>${last("seconds='{any}'")}</iq>`
})

story(
  'XEP-0012 §4: who may not see presence learns nothing, at no address',
  async ({ connect, online }) => {
    const juliet = await online('juliet@capulet.example/balcony')
    const romeo = await connect('romeo@montague.example/orchard')

    await assertAlike(
      romeo,
      (account) => romeo.send`<iq type='get' id='l1' to='${account}'>${last()}</iq>`,
      ['juliet@capulet.example', 'nobody@capulet.example'],
    )
    // §5: nor is the client asked.
    await romeo.send`<iq type='get' id='l1' to='${juliet.jid}'>${last()}</iq>`
    await juliet.receivesNothing()
    romeo.receives`<iq type='error' id='l1' from='${juliet.jid}' to='${romeo.jid}'><error type='cancel'><service-unavailable xmlns='${NS_ERRORS}'/></error></iq>`
  },
)
