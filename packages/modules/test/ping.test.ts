import { story } from '@tactus/testkit'
import { assertAlike } from './likeness.ts'

story('XEP-0199 §4.2: a server answers a ping', async ({ connect }) => {
  const romeo = await connect('romeo@montague.example/orchard')

  await romeo.send`<iq type='get' id='p1' to='montague.example'><ping xmlns='urn:xmpp:ping'/></iq>`

  romeo.receives`<iq type='result' id='p1' from='montague.example' to='${romeo.jid}'/>`
})

story('XEP-0199 §4.2: a ping without address is one to the server', async ({ connect }) => {
  const romeo = await connect('romeo@montague.example/orchard')

  await romeo.send`<iq type='get' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>`

  romeo.receives`<iq type='result' id='p1' to='${romeo.jid}'/>`
})

story('XEP-0199 §4.4: a ping to a resource is for its client', async ({ connect }) => {
  const romeo = await connect('romeo@montague.example/orchard')
  const juliet = await connect('juliet@capulet.example/balcony')

  await romeo.send`<iq type='get' id='p1' to='${juliet.jid}'><ping xmlns='urn:xmpp:ping'/></iq>`

  juliet.receives`<iq type='get' id='p1' from='${romeo.jid}' to='${juliet.jid}'><ping xmlns='urn:xmpp:ping'/></iq>`
  await romeo.receivesNothing()
})

story('a ping does not find out who has an account', async ({ connect }) => {
  await connect('juliet@capulet.example/balcony')
  const romeo = await connect('romeo@montague.example/orchard')

  await assertAlike(
    romeo,
    (account) =>
      romeo.send`<iq type='get' id='p1' to='${account}'><ping xmlns='urn:xmpp:ping'/></iq>`,
    ['juliet@capulet.example', 'nobody@capulet.example'],
  )
})
