import assert from 'node:assert/strict'
import type { SmClient } from '@tactus/testkit'
import { type Stage, stages } from './stage.ts'

const NS_MUC = 'http://jabber.org/protocol/muc'
let rooms = 0

/** Romeo's room, and both are in it, on different connection managers; Juliet's session waits this long. */
async function together(stage: Stage, wait: number): Promise<[SmClient, SmClient, string]> {
  rooms += 1
  const room = `balcony${rooms}@conference.montague.example`
  const romeo = await stage.managed('romeo', 1)
  const juliet = await stage.bound('juliet')
  await juliet.enable(`resume='true' max='${wait}'`)
  await join(romeo, room, 'romeo')
  romeo.send(
    `<iq type='set' id='o' to='${room}'><query xmlns='${NS_MUC}#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`,
  )
  await romeo.take(({ id }) => id === 'o', 'an open room')
  await join(juliet, room, 'juliet')
  await romeo.take(({ from }) => from === `${room}/juliet`, 'juliet')
  await romeo.settle()
  romeo.drain('presence')
  return [romeo, juliet, room]
}

async function join(client: SmClient, room: string, nick: string): Promise<void> {
  client.send(`<presence to='${room}/${nick}'><x xmlns='${NS_MUC}'/></presence>`)
  await client.take((stanza) => stanza.hasChild('subject', stanza.ns), 'the subject')
}

const line = (room: string, text: string): string =>
  `<message to='${room}' type='groupchat' id='${text}'><body>${text}</body></message>`
const admin = (room: string, id: string, item: string): string =>
  `<iq type='set' id='${id}' to='${room}'><query xmlns='${NS_MUC}#admin'><item ${item}/></query></iq>`
const isSaid =
  (text: string) =>
  ({ type, id }: { readonly type: string | undefined; readonly id: string | undefined }): boolean =>
    type === 'groupchat' && id === text

stages({ limits: { rates: 'off' } }, (tell) => {
  tell('a room notices nothing of a session that waits and is taken up', async (stage) => {
    const [romeo, juliet, room] = await together(stage, 60)
    juliet.drop()
    await juliet.ended
    for (const text of ['one', 'two']) {
      romeo.send(line(room, text))
      await romeo.take(isSaid(text), text)
    }
    const back = await stage.back('juliet')
    await back.takeOver(juliet)
    for (const text of ['one', 'two']) await back.take(isSaid(text), `${text}, once and in order`)
    // She is in, as ever, and he never saw her go.
    back.send(line(room, 'three'))
    await romeo.take(isSaid('three'), 'three')
    assert.deepEqual(romeo.drain('presence'), [])
    await back.settle(room)
    assert.deepEqual(back.drain('message').filter(({ type }) => type === 'groupchat').length, 1)
  })

  tell('XEP-0045 §9.6, §8.1, §7.6: who waited hears all that it missed', async (stage) => {
    const [romeo, juliet, room] = await together(stage, 60)
    juliet.drop()
    await juliet.ended
    romeo.send(admin(room, 'role', `nick='juliet' role='moderator'`))
    await romeo.take(({ id }) => id === 'role', 'that she moderates')
    romeo.send(
      `<message to='${room}' type='groupchat' id='topic'><subject>Night</subject></message>`,
    )
    await romeo.take(isSaid('topic'), 'the subject')
    romeo.send(`<presence to='${room}/montague'/>`)
    await romeo.take(({ from, type }) => from === `${room}/montague` && !type, 'the new name')

    const back = await stage.back('juliet')
    await back.takeOver(juliet)
    const says = (stanza: unknown, ...parts: readonly string[]): boolean =>
      parts.every((part) => String(stanza).replaceAll("'", '"').includes(part))
    await back.take((one) => says(one, 'role="moderator"', 'code="110"'), 'her role')
    await back.take(isSaid('topic'), 'the subject')
    await back.take((one) => says(one, 'code="303"', 'nick="montague"'), 'the old name')
    await back.take(({ from }) => from === `${room}/montague`, 'the new name')
    // She moderates now, through another connection manager than before.
    back.send(`<message to='${room}' type='groupchat' id='day'><subject>Day</subject></message>`)
    await romeo.take(isSaid('day'), 'her subject')
  })

  tell('XEP-0045 §8.2: who was put out while it waited hears of it, and is out', async (stage) => {
    const [romeo, juliet, room] = await together(stage, 60)
    juliet.drop()
    await juliet.ended
    romeo.send(admin(room, 'kick', `nick='juliet' role='none'`))
    await romeo.take(({ id }) => id === 'kick', 'that she is out')
    const back = await stage.back('juliet')
    await back.takeOver(juliet)
    await back.take(
      (stanza) => stanza.type === 'unavailable' && String(stanza).includes('307'),
      'that she is out',
    )
    back.send(line(room, 'unheard'))
    const refused = await back.take(({ id }) => id === 'unheard', 'a refusal')
    assert.equal(refused.type, 'error')
  })

  tell(
    'C15: who never comes back leaves the room, and no line is sent back to it',
    async (stage) => {
      const [romeo, juliet, room] = await together(stage, 1)
      juliet.answers = false
      juliet.drop()
      romeo.send(line(room, 'one'))
      await romeo.take(isSaid('one'), 'one')
      const gone = await romeo.take(
        ({ from, type }) => from === `${room}/juliet` && type === 'unavailable',
        'that she is gone',
      )
      assert.doesNotMatch(String(gone), /<status/)
      await romeo.settle()
      assert.deepEqual(
        romeo.drain('message').map(({ type }) => type),
        [],
      )
    },
  )
})
