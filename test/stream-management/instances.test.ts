import assert from 'node:assert/strict'
import type { SmClient } from '@tactus/testkit'
import { message, type Stage, stages } from './stage.ts'

const settings = { drain: { window: '1s' } }
const count = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, n) => `${from + n}`)

/** Juliet at door 0, and Romeo, who sees her presence, at the door that stays. */
async function pair(stage: Stage): Promise<[SmClient, SmClient]> {
  await stage.befriend('juliet', 'romeo')
  const romeo = await stage.online('romeo', 1)
  const juliet = await stage.online('juliet', 0)
  await romeo.take(({ from, type }) => from === juliet.jid && type === undefined, 'her presence')
  await romeo.settle()
  romeo.drain('presence')
  return [juliet, romeo]
}

/** After door 0 was closed there is another, for the next scene. */
async function reopen({ server }: Stage): Promise<void> {
  const [gone] = server.doors
  if (!gone) return
  await gone.process.kill()
  server.forget(gone.process)
  await server.startConnectionManager()
}

/** Romeo says these one after the other, and all of them are with Juliet's account. */
async function says(
  stage: Stage,
  romeo: SmClient,
  juliet: SmClient,
  texts: string[],
): Promise<void> {
  for (const text of texts) romeo.send(message(juliet.jid, text))
  await romeo.settle(await stage.account('juliet'))
}

stages(
  settings,
  (tell) => {
    tell(
      'C22: an instance that ends says what is handled, and its sessions go on elsewhere',
      async (stage) => {
        const [juliet, romeo] = await pair(stage)
        await says(stage, romeo, juliet, count(0, 5))
        await juliet.settle()
        juliet.send(message(romeo.jid, 'said'))
        await romeo.next('message')
        juliet.drain('a')
        stage.server.doors[0]?.process.signal('SIGTERM')
        assert.equal(await juliet.ended, 'system-shutdown')
        const [last] = juliet.drain('a').slice(-1)
        await says(stage, romeo, juliet, count(5, 10))
        const again = await stage.back('juliet', 1)
        const resumed = await again.takeOver(juliet)
        assert.equal(last?.attrs.h, resumed.attrs.h)
        await again.settle()
        assert.deepEqual([...juliet.bodies(), ...again.bodies()], count(0, 10))
        await romeo.settle(await stage.account('juliet'))
        assert.deepEqual(romeo.drain('presence').map(String), [])
        assert.equal(await stage.server.doors[0]?.process.exited, 0)
        await reopen(stage)
      },
    )

    tell('C13: an instance is killed, and its sessions go on elsewhere at once', async (stage) => {
      const [juliet, romeo] = await pair(stage)
      await says(stage, romeo, juliet, count(0, 5))
      await juliet.settle()
      await stage.server.doors[0]?.process.kill()
      await juliet.ended
      for (const text of count(5, 30)) romeo.send(message(juliet.jid, text))
      const again = await stage.back('juliet', 1)
      await again.takeOver(juliet)
      await says(stage, romeo, juliet, count(30, 35))
      await again.settle()
      assert.deepEqual([...juliet.bodies(), ...again.bodies()], count(0, 35))
      assert.deepEqual(romeo.drain('presence').map(String), [])
      await reopen(stage)
    })

    tell('C13: of those who come back later than the verdict as well', async (stage) => {
      const [juliet, romeo] = await pair(stage)
      const unmanaged = await stage.bound('nurse', 0)
      unmanaged.send(`<presence to='${romeo.jid}'/>`)
      await romeo.take(({ from }) => from === unmanaged.jid, 'her presence')
      await stage.server.doors[0]?.process.kill()
      await juliet.ended
      // §3.8: who had not enabled it is told gone when the instance is given up; the others are not.
      await romeo.take(({ from, type }) => from === unmanaged.jid && type === 'unavailable', 'end')
      await says(stage, romeo, juliet, count(0, 10))
      const again = await stage.back('juliet', 1)
      await again.takeOver(juliet)
      await again.settle()
      assert.deepEqual(again.bodies(), count(0, 10))
      assert.deepEqual(romeo.drain('presence').map(String), [])
      await reopen(stage)
    })

    tell(
      'C11, C13: an instance that was only frozen emits nothing when it wakes up',
      async (stage) => {
        const [juliet, romeo] = await pair(stage)
        const unmanaged = await stage.bound('nurse', 0)
        unmanaged.send(`<presence to='${romeo.jid}'/>`)
        await romeo.take(({ from }) => from === unmanaged.jid, 'her presence')
        const old = stage.server.doors[0]?.process
        old?.signal('SIGSTOP')
        juliet.send(message(romeo.jid, 'into the void'))
        for (const text of count(0, 5)) romeo.send(message(juliet.jid, text))
        const again = await stage.back('juliet', 1)
        const resumed = await again.takeOver(juliet)
        assert.equal(resumed.attrs.h, '2')
        await says(stage, romeo, juliet, count(5, 10))
        await again.settle()
        assert.deepEqual(again.bodies(), count(0, 10))
        juliet.inbox.length = 0
        // Long enough to be given up.
        await romeo.take(
          ({ from, type }) => from === unmanaged.jid && type === 'unavailable',
          'end',
        )
        old?.signal('SIGCONT')
        // The one that was left, or all of them when it was given up meanwhile.
        assert.match((await juliet.ended) ?? '', /^(conflict|reset)$/)
        assert.deepEqual(juliet.bodies(), [])
        await romeo.settle()
        assert.deepEqual(romeo.bodies(), [])
        await reopen(stage)
      },
    )
  },
  ['cluster'],
)

stages(
  settings,
  (tell) => {
    for (const [how, end] of [
      ['ends', 'SIGTERM'],
      ['is killed', 'SIGKILL'],
    ] as const)
      tell(`C10, C15: the server ${how}, and keeps what was not acknowledged`, async (stage) => {
        const [juliet, romeo] = await pair(stage)
        juliet.answers = false
        juliet.send(message(romeo.jid, 'said'))
        await juliet.acknowledged(3)
        romeo.send(message(juliet.jid, 'once'))
        await juliet.next('message')
        const [door] = stage.server.doors
        assert(door)
        door.process.signal(end)
        assert.equal(await juliet.ended, end === 'SIGTERM' ? 'system-shutdown' : undefined)
        await door.process.exited
        stage.server.forget(door.process)
        await stage.server.startStandalone()
        const next = await stage.back('juliet')
        const failed = await next.resume(juliet.id, juliet.handled)
        assert.equal(failed.name, 'failed')
        assert.equal(failed.attrs.h, '3')
        await next.link.bind('balcony')
        next.send('<presence/>')
        assert.equal((await next.next('message')).id, 'once')
        await next.settle()
        assert.deepEqual(next.bodies(), [])
      })
  },
  ['standalone'],
)
