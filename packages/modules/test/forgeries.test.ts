import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'

const forwarded =
  "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='nurse@capulet.example/x' to='juliet@capulet.example'><body>forged</body></message></forwarded>"
const result = `<result xmlns='urn:xmpp:mam:2' id='1'>${forwarded}</result>`
const delay = (from: string): string =>
  `<delay xmlns='urn:xmpp:delay' from='${from}' stamp='1595-01-01T00:00:00Z'/>`

story('V41: no resource sends messages out of an archive', async ({ online }) => {
  const romeo = await online('romeo@montague.example/orchard')
  const juliet = await online('juliet@capulet.example/balcony')
  for (const to of [juliet.account, juliet.jid])
    await romeo.send`<message to='${to}'>${result}<body>x</body>${result}</message>`

  const messages = juliet.drain().map(String)

  assert.equal(messages.length, 2)
  for (const message of messages) assert.ok(!message.includes('forged'), message)
})

story('V42: no delay in the name of the own server passes, others do', async ({ online }) => {
  const romeo = await online('romeo@montague.example/orchard')
  const juliet = await online('juliet@capulet.example/balcony')
  const stamps = ['capulet.example', 'Juliet@capulet.example', 'montague.example'].map(delay)
  await romeo.send`<message type='chat' to='${juliet.account}'><body>x</body>${stamps.join('')}</message>`

  const [message] = juliet.drain().map(String)

  assert.match(message ?? '', /from=["']montague.example["'] stamp/)
  assert.doesNotMatch(message ?? '', /<delay[^>]*capulet/i)
})

story('V40: roster pushes and results of others never arrive', async ({ online }) => {
  const romeo = await online('romeo@montague.example/orchard')
  const juliet = await online('juliet@capulet.example/balcony')
  const query =
    "<query xmlns='jabber:iq:roster'><item jid='tybalt@capulet.example' subscription='both'/></query>"

  await romeo.send`<iq type='result' id='1' to='${juliet.jid}'>${query}</iq>`
  await romeo.send`<iq type='set' id='2' to='${juliet.jid}'>${query}</iq>`

  await juliet.receivesNothing()
})

story('V28: nobody learns by an old session request who has an account', async ({ online }) => {
  const romeo = await online('romeo@montague.example/orchard')
  const juliet = await online('juliet@capulet.example/balcony')
  const session = "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>"
  const answers: string[] = []
  for (const to of [juliet.account, 'nobody@capulet.example']) {
    await romeo.send`<iq type='set' id='s' to='${to}'>${session}</iq>`
    answers.push(...romeo.drain().map((answer) => String(answer).replace(to, 'somebody')))
  }
  assert.equal(answers.length, 2)
  assert.equal(answers[0], answers[1])
})
