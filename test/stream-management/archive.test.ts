import assert from 'node:assert/strict'
import type { SmClient } from '@tactus/testkit'
import type { Stanza } from '@tactus/xml'
import { message, stages } from './stage.ts'

const NS = 'urn:xmpp:mam:2'
const NS_INBOX = 'urn:xmpp:inbox:1'
const NS_RSM = 'http://jabber.org/protocol/rsm'

/** Asks for a page; its results come before the answer with this id. */
function ask(client: SmClient, id: string, after: string | undefined): void {
  const from = after === undefined ? '' : `<after>${after}</after>`
  client.send(
    `<iq type='set' id='${id}'><query xmlns='${NS}' queryid='${id}'><set xmlns='${NS_RSM}'><max>20</max>${from}</set></query></iq>`,
  )
}

/** Archive ids of the results that came to these connections, in the order in which they came. */
function resultsOf(...clients: readonly SmClient[]): readonly string[] {
  return clients
    .flatMap((client) => client.drain('message'))
    .map((stanza) => stanza.child('result', NS)?.attrs.id ?? 'no result')
}

/** When the connection is lost, and how that is known. */
const lost = {
  /** <presence/>, two requests that settled, and the query: the server has it, and this connection may have seen nothing of it. */
  'before it': (client: SmClient): Promise<void> => client.acknowledged(4),
  'in its middle': async (client: SmClient): Promise<void> => {
    client.inbox.unshift(await client.take(({ name }) => name === 'message', 'a result'))
  },
  'behind it': async (client: SmClient, id: string): Promise<void> => {
    client.inbox.push(await client.take((stanza) => stanza.id === id, id))
  },
}
const moments = ['before it', 'in its middle', 'behind it'] as const

const lastOf = (answer: Stanza): string | undefined =>
  answer.child('fin', NS)?.getChild('set', NS_RSM)?.getChildText('last') ?? undefined

stages({}, (tell) => {
  tell(
    'XEP-0313 §4.3, XEP-0198 §5: pages go on after a resumption, each result once and in order',
    async (stage) => {
      const romeo = await stage.online('romeo', 1)
      let juliet = await stage.online('juliet')
      const texts = Array.from({ length: 60 }, (_, n) => `${n}`)
      for (const text of texts) romeo.send(message(juliet.jid, text))
      await romeo.settle(await stage.account('juliet'))
      await juliet.settle()
      const told = juliet
        .drain('message')
        .map((stanza) => stanza.child('stanza-id', 'urn:xmpp:sid:0')?.attrs.id)
      assert.equal(told.length, 60)

      const found: string[] = []
      let last: string | undefined
      for (const [page, drops] of moments.entries()) {
        const id = `page${page}`
        ask(juliet, id, last)
        await lost[drops](juliet, id)
        juliet.drop()
        await juliet.ended
        const again = await stage.back('juliet', page + 1)
        await again.takeOver(juliet)
        const here = [...juliet.inbox].find((stanza) => stanza.id === id)
        const answer = here ?? (await again.take((stanza) => stanza.id === id, id))
        await again.settle()
        found.push(...resultsOf(juliet, again))
        last = lastOf(answer)
        juliet = again
      }
      assert.deepEqual(found, told)
    },
  )

  tell(
    'XEP-0430 §3.1, XEP-0198 §5: an inbox is told once, and counts what came in between',
    async (stage) => {
      const romeo = await stage.online('romeo', 1)
      const juliet = await stage.online('juliet')
      romeo.send(message(juliet.jid, 'one'))
      await juliet.next('message')
      juliet.send(`<iq type='get' id='inbox'><inbox xmlns='${NS_INBOX}'/></iq>`)
      // <presence/>, a request that settled, and the question: the server has it.
      await juliet.acknowledged(3)
      juliet.drop()
      await juliet.ended
      romeo.send(message(juliet.jid, 'two'))
      await romeo.settle(await stage.account('juliet'))
      const again = await stage.back('juliet', 1)
      await again.takeOver(juliet)
      await again.settle()
      const heard = [...juliet.inbox, ...again.inbox]
      const told = heard.flatMap((stanza) => stanza.child('entry', NS_INBOX)?.attrs.unread ?? [])
      const answers = heard.filter(({ id }) => id === 'inbox')
      // Reading is a job beside the steps: it may see the second message, and is told once all the same.
      assert.match(told.join(' '), /^[12]$/)
      assert.equal(answers.length, 1)

      const display = `<displayed xmlns='urn:xmpp:chat-markers:0' id='one'/>`
      again.send(`<message type='chat' to='${romeo.jid}'>${display}</message>`)
      again.send(`<iq type='get' id='after'><inbox xmlns='${NS_INBOX}'/></iq>`)
      const entry = await again.take(
        (stanza) => stanza.hasChild('entry', NS_INBOX) && !heard.includes(stanza),
        'the entry',
      )
      assert.equal(entry.child('entry', NS_INBOX)?.attrs.unread, '1')
      const fin = await again.take(({ id }) => id === 'after', 'the end')
      assert.equal(fin.child('fin', NS_INBOX)?.attrs['all-unread'], '1')
    },
  )
})
