import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'

const NS = 'urn:xmpp:sid:0'

story('XEP-0359 §5: a message gets an id of the account that receives it', async ({ online }) => {
  const romeo = await online('romeo@montague.example/orchard')
  const juliet = await online('juliet@capulet.example/balcony')

  await romeo.send`<message type='chat' to='juliet@capulet.example'><body>Hist!</body></message>`

  juliet.receives`<message type='chat' from='${romeo.jid}' to='juliet@capulet.example'><body>Hist!</body><stanza-id xmlns='${NS}' by='juliet@capulet.example' id='{any}'/></message>`
})

story(
  'XEP-0359 §5, rule 3: ids that claim to be ours are removed, all of them',
  async ({ online }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const juliet = await online('juliet@capulet.example/balcony')
    const forged = ['juliet@capulet.example', 'Juliet@CAPULET.example', 'romeo@montague.example']
      .map((by) => `<stanza-id xmlns='${NS}' by='${by}' id='forged'/>`)
      .join('')

    await romeo.send`<message type='chat' to='juliet@capulet.example'><body>x</body>${forged}</message>`

    const [message] = juliet.drain()
    assert.ok(message && !String(message).includes('forged'))
    assert.equal(message.children.filter(({ name }) => name === 'stanza-id').length, 1)
  },
)

story('XEP-0359 §5, rule 4: an origin-id passes as it is', async ({ online }) => {
  const romeo = await online('romeo@montague.example/orchard')
  const juliet = await online('juliet@capulet.example/balcony')

  await romeo.send`<message type='chat' to='juliet@capulet.example'><body>x</body><origin-id xmlns='${NS}' id='o1'/></message>`

  juliet.receives`<message type='chat' from='${romeo.jid}' to='juliet@capulet.example'><body>x</body><origin-id xmlns='${NS}' id='o1'/><stanza-id xmlns='${NS}' by='juliet@capulet.example' id='{any}'/></message>`
})
