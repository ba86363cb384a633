import { type Client, story } from '@tactus/testkit'

const NS_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

const item = (client: Client, content: string) =>
  `<iq type='set' id='{any}' to='${client.jid}'><query xmlns='jabber:iq:roster' ver='{any}'>${content}</query></iq>`

/** An available resource that has its roster. */
async function interested(online: (jid: string) => Promise<Client>, jid: string): Promise<Client> {
  const client = await online(jid)
  await client.send`<iq type='get' id='r0'><query xmlns='jabber:iq:roster'/></iq>`
  client.drain()
  return client
}

story('RFC 6121 §3.1: from request to subscription', async ({ online }) => {
  const romeo = await interested(online, 'romeo@montague.example/orchard')
  const juliet = await interested(online, 'juliet@capulet.example/balcony')

  await romeo.send`<presence to='juliet@capulet.example/balcony' type='subscribe' id='s1'/>`

  // §3.1.2: bare addresses, and a push that says that an answer is awaited.
  romeo.receives`${item(romeo, "<item jid='juliet@capulet.example' subscription='none' ask='subscribe'/>")}`
  juliet.receives`<presence type='subscribe' id='s1' from='romeo@montague.example' to='juliet@capulet.example'/>`
  await juliet.receivesNothing()

  await juliet.send`<presence to='romeo@montague.example' type='subscribed' id='s2'/>`

  juliet.receives`${item(juliet, "<item jid='romeo@montague.example' subscription='from'/>")}`
  // §3.1.6: the answer, the push, and then the presence that may now be seen.
  romeo.receives`<presence type='subscribed' id='s2' from='juliet@capulet.example' to='romeo@montague.example'/>`
  romeo.receives`${item(romeo, "<item jid='juliet@capulet.example' subscription='to'/>")}`
  romeo.receives`<presence from='${juliet.jid}' to='romeo@montague.example'/>`
  await romeo.receivesNothing()
  await juliet.receivesNothing()
})

story(
  'RFC 6121 §3.1.3: a request waits for whoever is away, until it is answered',
  async ({ connect, online }) => {
    const romeo = await online('romeo@montague.example/orchard')
    const away = await connect('juliet@capulet.example/balcony')
    await away.close()
    await romeo.send`<presence to='juliet@capulet.example' type='subscribe' id='s1'><status>Hist!</status></presence>`

    const request =
      "<presence type='subscribe' id='s1' from='romeo@montague.example' to='juliet@capulet.example'><status>Hist!</status><delay xmlns='urn:xmpp:delay' stamp='{any}'/></presence>"
    for (const resource of ['balcony', 'chamber']) {
      const juliet = await connect(`juliet@capulet.example/${resource}`)
      await juliet.send`<presence id='${resource}'/>`
      juliet.receivesInAnyOrder`${request} <presence id='${resource}' from='${juliet.jid}'/>`
      await juliet.close()
    }

    const juliet = await online('juliet@capulet.example/balcony')
    await juliet.send`<presence to='romeo@montague.example' type='unsubscribed'/>`
    await juliet.close()
    const again = await connect('juliet@capulet.example/balcony')
    await again.send`<presence/>`
    again.receives`<presence from='${again.jid}'/>`
    await again.receivesNothing()
  },
)

story('RFC 6121 §3.1.3: an unanswered request is no roster item', async ({ online }) => {
  const romeo = await online('romeo@montague.example/orchard')
  const juliet = await interested(online, 'juliet@capulet.example/balcony')

  await romeo.send`<presence to='juliet@capulet.example' type='subscribe'/>`
  juliet.receives`<presence type='subscribe' from='romeo@montague.example' to='juliet@capulet.example'/>`

  await juliet.send`<iq type='get' id='r1'><query xmlns='jabber:iq:roster'/></iq>`
  juliet.receives`<iq type='result' id='r1' to='${juliet.jid}'><query xmlns='jabber:iq:roster' ver='{any}'/></iq>`
})

story('RFC 6121 §3.1.3: a second request is not told again', async ({ online }) => {
  const romeo = await online('romeo@montague.example/orchard')
  const juliet = await online('juliet@capulet.example/balcony')

  await romeo.send`<presence to='juliet@capulet.example' type='subscribe'/>`
  await romeo.send`<presence to='juliet@capulet.example' type='subscribe'/>`

  juliet.receives`<presence type='subscribe' from='romeo@montague.example' to='juliet@capulet.example'/>`
  await juliet.receivesNothing()
})

story('RFC 6121 §3.1.4: a request is not answered for the account', async ({ connect, online }) => {
  await connect('juliet@capulet.example/balcony')
  const romeo = await online('romeo@montague.example/orchard')

  await romeo.send`<presence to='juliet@capulet.example' type='subscribe'/>`
  await romeo.send`<presence to='nobody@capulet.example' type='subscribe'/>`

  await romeo.receivesNothing()
})

story('RFC 6121 §3.2: a subscription is taken back', async ({ online, befriend }) => {
  const romeo = await interested(online, 'romeo@montague.example/orchard')
  const juliet = await interested(online, 'juliet@capulet.example/balcony')
  await befriend(romeo, juliet)

  await juliet.send`<presence to='romeo@montague.example' type='unsubscribed'/>`

  juliet.receives`${item(juliet, "<item jid='romeo@montague.example' subscription='to'/>")}`
  romeo.receives`<presence type='unsubscribed' from='juliet@capulet.example' to='romeo@montague.example'/>`
  romeo.receives`${item(romeo, "<item jid='juliet@capulet.example' subscription='from'/>")}`
  romeo.receives`<presence type='unavailable' from='${juliet.jid}' to='romeo@montague.example'/>`
  await juliet.receivesNothing()

  await juliet.send`<presence><show>away</show></presence>`
  await romeo.receivesNothing()
})

story('RFC 6121 §3.3: a subscription is given up', async ({ online, befriend }) => {
  const romeo = await interested(online, 'romeo@montague.example/orchard')
  const juliet = await interested(online, 'juliet@capulet.example/balcony')
  await befriend(romeo, juliet)

  await romeo.send`<presence to='juliet@capulet.example' type='unsubscribe'/>`

  romeo.receives`${item(romeo, "<item jid='juliet@capulet.example' subscription='from'/>")}`
  juliet.receives`<presence type='unsubscribe' from='romeo@montague.example' to='juliet@capulet.example'/>`
  juliet.receives`${item(juliet, "<item jid='romeo@montague.example' subscription='to'/>")}`
  // §3.3.3: what may no longer be seen goes away.
  romeo.receives`<presence type='unavailable' from='${juliet.jid}' to='romeo@montague.example'/>`
  await romeo.receivesNothing()
})

story(
  'RFC 6121 §3.4: who was approved in advance is let in without a question',
  async ({ online }) => {
    const romeo = await interested(online, 'romeo@montague.example/orchard')
    const juliet = await interested(online, 'juliet@capulet.example/balcony')

    await juliet.send`<presence to='romeo@montague.example' type='subscribed'/>`
    juliet.receives`${item(juliet, "<item jid='romeo@montague.example' subscription='none' approved='true'/>")}`
    await romeo.receivesNothing()

    await romeo.send`<presence to='juliet@capulet.example' type='subscribe'/>`
    juliet.receives`${item(juliet, "<item jid='romeo@montague.example' subscription='from'/>")}`
    await juliet.receivesNothing()
    romeo.receives`${item(romeo, "<item jid='juliet@capulet.example' subscription='none' ask='subscribe'/>")}`
    romeo.receives`<presence type='subscribed' id='{any}' from='juliet@capulet.example' to='romeo@montague.example'/>`
    romeo.receives`${item(romeo, "<item jid='juliet@capulet.example' subscription='to'/>")}`
    romeo.receives`<presence from='${juliet.jid}' to='romeo@montague.example'/>`
  },
)

story('RFC 6121 §3.1.2: nobody subscribes to itself', async ({ online }) => {
  const romeo = await online('romeo@montague.example/orchard')

  await romeo.send`<presence to='romeo@montague.example' type='subscribe'/>`

  romeo.receives`<presence type='error' from='romeo@montague.example' to='${romeo.jid}'><error type='cancel'><not-allowed xmlns='${NS_ERRORS}'/></error></presence>`
})
