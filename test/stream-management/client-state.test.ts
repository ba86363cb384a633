import assert from 'node:assert/strict'
import type { SmClient } from '@tactus/testkit'
import { message, type Stage, stages } from './stage.ts'

const NS = 'urn:xmpp:csi:0'
const presence = (to: string, status: string): string =>
  `<presence to='${to}'><status>${status}</status></presence>`

/** Juliet's client, which says that nobody looks at it, and Romeo, who is at the other door. */
async function pair(stage: Stage): Promise<[SmClient, SmClient]> {
  const romeo = await stage.online('romeo', 1)
  const juliet = await stage.online('juliet', 0)
  juliet.send(`<inactive xmlns='${NS}'/>`)
  await juliet.settle()
  juliet.inbox.length = 0
  return [juliet, romeo]
}

/** Romeo says these, and all of them are with Juliet's account. */
async function says(stage: Stage, romeo: SmClient, ...stanzas: readonly string[]): Promise<void> {
  romeo.send(stanzas.join(''))
  await romeo.settle(await stage.account('juliet'))
}

/** What came, by status or body. */
function told(client: SmClient): (string | undefined)[] {
  return [...client.inbox.splice(0)]
    .filter(({ name }) => name === 'presence' || name === 'message')
    .map(({ element }) => element.getChildText('status') ?? element.getChildText('body') ?? '')
}

stages({}, (tell) => {
  tell('XEP-0352 §3.2: presence waits for a message, the newest of it', async (stage) => {
    const [juliet, romeo] = await pair(stage)
    await says(stage, romeo, presence(juliet.jid, 'one'), presence(juliet.jid, 'two'))
    assert.deepEqual(told(juliet), [])
    await says(stage, romeo, message(juliet.jid, 'now'), presence(juliet.jid, 'three'))
    await juliet.next('message').then((last) => juliet.inbox.push(last))
    assert.deepEqual(told(juliet), ['two', 'now'])
    juliet.send(`<active xmlns='${NS}'/>`)
    await juliet.settle()
    assert.deepEqual(told(juliet), ['three'])
  })

  tell('XEP-0352 §4.2: not answered, and not counted', async (stage) => {
    const [juliet] = await pair(stage)
    // Its presence and two round trips.
    juliet.send(`<active xmlns='${NS}'/>`)
    await juliet.settle()
    juliet.inbox.length = 0
    await juliet.acknowledged(4)
    assert.deepEqual(juliet.inbox, [])
  })

  tell(
    'XEP-0352 §5.2: a session resumed elsewhere is active, and gets what it was spared',
    async (stage) => {
      const [juliet, romeo] = await pair(stage)
      await says(stage, romeo, message(juliet.jid, 'a'), presence(juliet.jid, 'one'))
      juliet.drop()
      await juliet.ended
      await says(stage, romeo, presence(juliet.jid, 'two'))
      const again = await stage.back('juliet', 1)
      await again.takeOver(juliet)
      await again.settle()
      assert.deepEqual([...told(juliet), ...told(again)], ['a', 'two'])
      await says(stage, romeo, presence(juliet.jid, 'three'))
      await again.take(({ name }) => name === 'presence', 'what is not held back')
    },
  )
})

stages(
  {},
  (tell) => {
    tell('design §3.2: what is held back outlives the routers', async (stage) => {
      const [juliet, romeo] = await pair(stage)
      await says(stage, romeo, presence(juliet.jid, 'one'), presence(juliet.jid, 'two'))
      const { routers } = stage.server
      const old = [...routers]
      await stage.server.startRouter()
      await stage.server.startRouter()
      for (const router of old) {
        await router.kill()
        stage.server.forget(router)
      }
      await says(stage, romeo, presence(juliet.jid, 'three'), message(juliet.jid, 'now'))
      await juliet.next('message').then((last) => juliet.inbox.push(last))
      assert.deepEqual(told(juliet), ['three', 'now'])
      await says(stage, romeo, presence(juliet.jid, 'four'))
      assert.deepEqual(told(juliet), [])
      juliet.send(`<active xmlns='${NS}'/>`)
      await juliet.settle()
      assert.deepEqual(told(juliet), ['four'])
    })

    tell('design §3.8: what is held back outlives the connection manager', async (stage) => {
      const [juliet, romeo] = await pair(stage)
      await says(stage, romeo, presence(juliet.jid, 'one'))
      await stage.server.doors[0]?.process.kill()
      await juliet.ended
      await says(stage, romeo, presence(juliet.jid, 'two'), message(juliet.jid, 'now'))
      await says(stage, romeo, presence(juliet.jid, 'three'))
      const again = await stage.back('juliet', 1)
      await again.takeOver(juliet)
      await again.settle()
      assert.deepEqual(told(again), ['two', 'now', 'three'])
      const [gone] = stage.server.doors
      if (gone) stage.server.forget(gone.process)
      await stage.server.startConnectionManager()
    })
  },
  ['cluster'],
)
