import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import type { SmClient } from '@tactus/testkit'
import type { Stanza } from '@tactus/xml'
import { message, stages } from './stage.ts'

const TUNE = 'http://jabber.org/protocol/tune'
const NS_CARBONS = 'urn:xmpp:carbons:2'
const NS_FORWARD = 'urn:xmpp:forward:0'
const NS_DISCO = 'http://jabber.org/protocol/disco#info'

/** A client that no server has heard of yet, or it would not be asked: its hash, and what it answers (XEP-0115 §5.1). */
function newSoftware(): { readonly ver: string; readonly info: string } {
  const name = randomUUID()
  const software = `client/pc//${name}<${TUNE}+notify<`
  const ver = createHash('sha1').update(software).digest('base64')
  const identity = `<identity category='client' type='pc' name='${name}'/>`
  return { ver, info: `${identity}<feature var='${TUNE}+notify'/>` }
}

const plays = async (client: SmClient, title: string): Promise<void> => {
  const item = `<item id='current'><tune xmlns='${TUNE}'><title>${title}</title></tune></item>`
  client.send(
    `<iq type='set' id='${title}'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='${TUNE}'>${item}</publish></pubsub></iq>`,
  )
  const answer = await client.take(({ id }) => id === title, 'the answer')
  assert.equal(answer.type, 'result')
}

const isTune =
  (title: string) =>
  (stanza: Stanza): boolean =>
    stanza.name === 'message' && String(stanza).includes(`<title>${title}</title>`)

/** The copies in a message, as `direction body`. */
function copied(stanza: Stanza): string[] {
  return ['sent', 'received'].flatMap((direction) => {
    const forwarded = stanza.child(direction, NS_CARBONS)?.getChild('forwarded', NS_FORWARD)
    const body = forwarded?.getChild('message', 'jabber:client')?.getChildText('body')
    return body ? [`${direction} ${body}`] : []
  })
}

const isCopy =
  (body: string) =>
  (stanza: Stanza): boolean =>
    copied(stanza).some((copy) => copy.endsWith(body))

stages({}, (tell) => {
  tell(
    'XEP-0163 §4: what a resource wants outlives its connection, and what it missed comes',
    async (stage) => {
      await stage.befriend('romeo', 'juliet')
      const romeo = await stage.managed('romeo', 1)
      const juliet = await stage.online('juliet', 0)
      const { ver, info } = newSoftware()
      romeo.send(
        `<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example:sm' ver='${ver}'/></presence>`,
      )
      const question = await romeo.take(({ type }) => type === 'get', 'the question')
      romeo.send(
        `<iq type='result' id='${question.id}' to='${question.from}'><query xmlns='${NS_DISCO}' node='urn:example:sm#${ver}'>${info}</query></iq>`,
      )
      await romeo.settle()

      await plays(juliet, 'one')
      await romeo.take(isTune('one'), 'the first tune')
      romeo.drop()
      await romeo.ended
      await plays(juliet, 'two')
      const again = await stage.back('romeo', 0)
      await again.takeOver(romeo)
      await again.take(isTune('two'), 'what it missed')
      await plays(juliet, 'three')
      await again.take(isTune('three'), 'what comes after')
    },
  )

  tell(
    'XEP-0280 §6, §7: a resource that lost its connection gets every copy once and in order',
    async (stage) => {
      const romeo = await stage.online('romeo', 1)
      const phone = await stage.online('juliet', 0, 'phone')
      const desk = await stage.online('juliet', 1, 'desk')
      phone.send(`<iq type='set' id='on'><enable xmlns='${NS_CARBONS}'/></iq>`)
      await phone.take(({ id }) => id === 'on', 'the answer')

      romeo.send(message(desk.jid, 'one'))
      await desk.next('message')
      desk.send(message(romeo.jid, 'two'))
      await romeo.next('message')
      phone.drop()
      await phone.ended
      romeo.send(message(desk.jid, 'three'))
      await desk.next('message')
      desk.send(message(romeo.jid, 'four'))
      await romeo.next('message')
      const again = await stage.back('juliet', 0)
      await again.takeOver(phone)
      // The copies go on: that they are wanted outlives the connection.
      romeo.send(message(desk.jid, 'five'))
      await again.take(isCopy('five'), 'what comes after')

      const copies = [...phone.inbox, ...again.inbox].flatMap(copied)
      assert.deepEqual(copies, ['received one', 'sent two', 'received three', 'sent four'])
    },
  )
})
