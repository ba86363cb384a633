import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { SmClient } from '@tactus/testkit'
import { message, type Stage, stages } from './stage.ts'

const NS = 'urn:xmpp:sm:3'
const NS_DELAY = 'urn:xmpp:delay'
const NS_SID = 'urn:xmpp:sid:0'

/** Juliet's session, lost, with these messages of Romeo waiting in it. */
async function lost(stage: Stage, ...texts: readonly string[]): Promise<[SmClient, SmClient]> {
  const [juliet, romeo] = [await stage.online('juliet'), await stage.online('romeo', 1)]
  juliet.drop()
  await juliet.ended
  for (const text of texts) romeo.send(message(juliet.jid, text))
  await romeo.settle(await stage.account('juliet'))
  return [juliet, romeo]
}

stages({}, (tell) => {
  tell(
    '§5, C13: a session is resumed elsewhere with what was missed, once and in order',
    async (stage) => {
      const juliet = await stage.online('juliet')
      const romeo = await stage.online('romeo', 1)
      romeo.send(message(juliet.jid, 'heard'))
      await juliet.next('message')
      juliet.send(message(romeo.jid, 'said'))
      await romeo.next('message')
      juliet.drop()
      const texts = Array.from({ length: 50 }, (_, n) => `${n}`)
      for (const text of texts) romeo.send(message(juliet.jid, text))
      await romeo.settle(await stage.account('juliet'))
      const again = await stage.back('juliet')
      const resumed = await again.takeOver(juliet)
      assert.equal(resumed.attrs.previd, juliet.id)
      // <presence/>, the request that settled, the message.
      assert.equal(resumed.attrs.h, '3')
      await again.settle()
      assert.deepEqual(again.bodies(), texts)
      await again.acknowledged(4)
      romeo.send(message(juliet.jid, 'live'))
      assert.equal((await again.next('message')).id, 'live')
    },
  )

  tell(
    '§5: a session is resumed again and again, and what was acknowledged does not come back',
    async (stage) => {
      let [juliet, romeo] = await lost(stage, '0')
      for (let round = 1; round <= 6; round += 1) {
        const again = await stage.back('juliet', round)
        await again.takeOver(juliet)
        await again.settle()
        assert.deepEqual(again.bodies(), [`${round - 1}`])
        again.drop()
        await again.ended
        romeo.send(message(again.jid, `${round}`))
        await romeo.settle(await stage.account('juliet'))
        juliet = again
      }
    },
  )

  tell('§5: no features, presence or roster come with a resumption', async (stage) => {
    const [juliet] = await lost(stage)
    const again = await stage.back('juliet')
    await again.takeOver(juliet)
    await again.settle()
    assert.deepEqual(again.inbox.filter(({ name }) => name !== 'r').map(String), [])
  })

  tell('§5, C9: an id is of no use to another account, and tells it nothing', async (stage) => {
    const [juliet] = await lost(stage, 'secret')
    const thief = await stage.back('romeo')
    const failed = await thief.resume(juliet.id, 0)
    const unknown = await thief.resume('A'.repeat(juliet.id.length), 0)
    assert.equal(String(failed), String(unknown))
    await thief.link.bind('stolen')
    await thief.settle()
    assert.deepEqual(thief.bodies(), [])
    const again = await stage.back('juliet')
    await again.takeOver(juliet)
    assert.equal((await again.next('message')).id, 'secret')
  })

  tell(
    '§5, C10: an id that nobody knows is refused, and one may bind in the same stream',
    async (stage) => {
      const juliet = await stage.back('juliet')
      for (const id of ['unknown', '', 'x'.repeat(4_001)]) {
        const failed = await juliet.resume(id, 0)
        assert.equal(failed.name, 'failed')
        assert.equal(failed.attrs.h, undefined)
        assert.equal(failed.children[0]?.name, 'item-not-found')
      }
      await juliet.link.bind('balcony')
      await juliet.enable()
    },
  )

  tell('§5: a session without resumption cannot be resumed', async (stage) => {
    const juliet = await stage.bound('juliet')
    await juliet.enable('')
    juliet.drop()
    const again = await stage.back('juliet')
    assert.equal((await again.resume('x', 0)).name, 'failed')
  })

  tell('§5, C10: when it is too late, the count is told exactly', async (stage) => {
    await stage.befriend('juliet', 'romeo')
    const romeo = await stage.online('romeo', 1)
    const juliet = await stage.bound('juliet')
    await juliet.enable("resume='true' max='1'")
    juliet.send('<presence/>')
    juliet.send(message(romeo.jid, 'stored'))
    juliet.send(`<message to='${romeo.jid}' type='headline' id='not stored'/>`)
    juliet.send(`<iq type='get' id='x'><query xmlns='jabber:iq:roster'/></iq>`)
    await juliet.acknowledged(4)
    juliet.drop()
    await romeo.take(
      ({ from, type }) => from === juliet.jid && type === 'unavailable',
      'that she is gone',
    )
    const late = await stage.back('juliet')
    const failed = await late.resume(juliet.id, 0)
    assert.equal(failed.children[0]?.name, 'item-not-found')
    assert.equal(failed.attrs.h, '4')
    await late.link.bind('balcony')
  })

  tell(
    '§5, C10: a session whose resource was bound anew is gone, and its count is told',
    async (stage) => {
      const juliet = await stage.managed('juliet')
      juliet.send('<presence/><presence/>')
      await juliet.acknowledged(2)
      juliet.drop()
      await (await stage.bound('juliet', 1)).close()
      const late = await stage.back('juliet')
      const failed = await late.resume(juliet.id, 0)
      assert.equal(failed.name, 'failed')
      assert.equal(failed.attrs.h, '2')
    },
  )

  tell(
    '§5, C11: the connection that is still there gets a conflict, and nothing more',
    async (stage) => {
      const juliet = await stage.online('juliet')
      const romeo = await stage.online('romeo', 1)
      const again = await stage.back('juliet')
      juliet.send(message(romeo.jid, 'said before'))
      const resumed = await again.takeOver(juliet)
      const said = Number(resumed.attrs.h)
      assert.equal(await juliet.ended, 'conflict')
      juliet.inbox.length = 0
      romeo.send(message(again.jid, 'for the new one'))
      assert.equal((await again.next('message')).id, 'for the new one')
      await romeo.settle()
      // What the count covers has arrived, what it does not has not.
      assert.deepEqual(romeo.bodies(), said === 3 ? ['said before'] : [])
      assert.deepEqual(juliet.inbox, [])
    },
  )

  tell('§5, C11: what an old connection says after it was left is void', async (stage) => {
    const juliet = await stage.online('juliet')
    const romeo = await stage.online('romeo', 1)
    const again = await stage.back('juliet')
    const taking = again.takeOver(juliet)
    for (let n = 0; n < 200; n += 1) juliet.send(message(romeo.jid, `${n}`))
    const handled = Number((await taking).attrs.h) - 2
    await juliet.ended
    await again.settle(await stage.account('romeo'))
    await romeo.settle()
    const expected = Array.from({ length: handled }, (_, n) => `${n}`)
    assert.deepEqual(romeo.bodies(), expected)
  })

  tell(
    '§5, C12: of two resumptions at once through two doors one stays, with everything',
    async (stage) => {
      const [juliet, romeo] = await lost(stage, 'first')
      let { handled } = juliet
      for (let round = 0; round < 20; round += 1) {
        const rivals = await Promise.all([stage.back('juliet', 0), stage.back('juliet', 1)])
        for (const rival of rivals) rival.handled = handled
        const answers = await Promise.all(
          rivals.map((rival) =>
            rival.resume(juliet.id, handled).then(
              ({ name }) => name,
              () => 'cut off',
            ),
          ),
        )
        assert(answers.includes('resumed'), answers.join())
        const loser = await Promise.race(rivals.map((rival) => rival.ended.then(() => rival)))
        const winner = rivals.find((rival) => rival !== loser)
        assert(winner)
        romeo.send(message(juliet.jid, `round ${round}`))
        await winner.take(({ id }) => id === `round ${round}`, 'what was sent to the winner')
        const expected = round === 0 ? ['first'] : []
        assert.deepEqual(winner.bodies(), expected, `round ${round}`)
        handled = winner.handled
        winner.drop()
        await winner.ended
      }
    },
  )

  tell(
    '§5, C12: a resumption against the end of the session loses nothing either way',
    async (stage) => {
      const rounds = [0, 1, 2, 3, 4, 5, 6, 7].map(async (round) => {
        const resource = `r${round}`
        const name = `juliet-${round}-`
        const juliet = await SmClient.bound(stage.server, await stage.login(name, 0, resource))
        await juliet.enable("resume='true' max='1'")
        juliet.send('<presence/>')
        await juliet.settle()
        juliet.drop()
        await juliet.ended
        const dropped = performance.now()
        const romeo = await stage.bound(`romeo${round}`)
        romeo.send(message(juliet.jid, 'once'))
        await romeo.settle(await stage.account(name))
        const again = await SmClient.authenticate(
          stage.server,
          await stage.login(name, 1, resource),
        )
        // Around the moment when it ends; which of the two wins is open.
        await pause(Math.max(0, 920 + round * 25 - (performance.now() - dropped)))
        const { name: answer } = await again.resume(juliet.id, juliet.handled)
        if (answer === 'failed') {
          await again.link.bind(resource)
          again.send('<presence/>')
        }
        await again.take(({ id }) => id === 'once', `the message after ${answer}`)
        await again.settle()
        assert.deepEqual(again.bodies(), [])
      })
      await Promise.all(rounds)
    },
  )

  tell(
    '§5, C2: a resumption that claims too much ends the stream, and the session is left alone',
    async (stage) => {
      const [juliet] = await lost(stage, 'one')
      const wrong = await stage.back('juliet')
      wrong.send(`<resume xmlns='${NS}' previd='${juliet.id}' h='77'/>`)
      const error = await wrong.next('error')
      const tooHigh = error.child('handled-count-too-high', NS)
      assert.equal(tooHigh?.attrs.h, '77')
      assert.equal(tooHigh?.attrs['send-count'], String(juliet.handled + 1))
      assert.equal(await wrong.ended, 'undefined-condition')
      const right = await stage.back('juliet')
      await right.takeOver(juliet)
      assert.equal((await right.next('message')).id, 'one')
    },
  )

  tell('§5, C3: a resumption that claims less than before ends the stream', async (stage) => {
    const juliet = await stage.online('juliet')
    juliet.acknowledge()
    await juliet.settle()
    juliet.drop()
    const wrong = await stage.back('juliet')
    wrong.send(`<resume xmlns='${NS}' previd='${juliet.id}' h='0'/>`)
    assert.equal(await wrong.ended, 'undefined-condition')
  })

  tell('§5, C4: a count that is none is refused, and the right one is taken', async (stage) => {
    const [juliet] = await lost(stage)
    const again = await stage.back('juliet')
    for (const count of ['', '-1', '+1', ' 1', '1e3', '0x1', '4294967296']) {
      const failed = await again.resume(juliet.id, count)
      assert.equal(failed.children[0]?.name, 'bad-request', `h='${count}'`)
    }
    await again.takeOver(juliet)
  })

  tell('§5, C6: what follows <resume/> at once comes after it', async (stage) => {
    const [juliet, romeo] = await lost(stage)
    const again = await stage.back('juliet')
    again.send(
      `<resume xmlns='${NS}' previd='${juliet.id}' h='${juliet.handled}'/>${message(romeo.jid, 'at once')}`,
    )
    await again.next('resumed')
    await again.acknowledged(3)
    assert.equal((await romeo.next('message')).id, 'at once')
  })

  tell('C25: requests and results cross a resumption', async (stage) => {
    const juliet = await stage.online('juliet')
    const romeo = await stage.online('romeo', 1)
    const query = `<query xmlns='urn:example:question'/>`
    juliet.send(`<iq type='get' to='${romeo.jid}' id='hers'>${query}</iq>`)
    await romeo.next('iq')
    juliet.drop()
    await juliet.ended
    romeo.send(`<iq type='result' to='${juliet.jid}' id='hers'>${query}</iq>`)
    romeo.send(`<iq type='get' to='${juliet.jid}' id='his'>${query}</iq>`)
    await romeo.settle(await stage.account('juliet'))
    const again = await stage.back('juliet')
    await again.takeOver(juliet)
    const result = await again.next('iq')
    assert.deepEqual([result.id, result.type], ['hers', 'result'])
    const request = await again.next('iq')
    assert.deepEqual([request.id, request.type], ['his', 'get'])
    again.send(`<iq type='result' to='${romeo.jid}' id='his'/>`)
    assert.equal((await romeo.next('iq')).type, 'result')
  })

  tell(
    'C25: a result for a session that was replaced does not reach the next one',
    async (stage) => {
      const juliet = await stage.online('juliet')
      const romeo = await stage.online('romeo', 1)
      juliet.send(`<iq type='get' to='${romeo.jid}' id='hers'><q xmlns='urn:example:q'/></iq>`)
      await romeo.next('iq')
      juliet.drop()
      await juliet.ended
      romeo.send(`<iq type='result' to='${juliet.jid}' id='hers'/>`)
      await romeo.settle(await stage.account('juliet'))
      const next = await stage.online('juliet', 1)
      await next.settle()
      assert.deepEqual(next.drain('iq'), [])
    },
  )

  tell(
    'C28: nobody notices, presence is as it was, and what came meanwhile has been kept',
    async (stage) => {
      await stage.befriend('juliet', 'romeo')
      const romeo = await stage.online('romeo', 1)
      const juliet = await stage.managed('juliet')
      juliet.send(`<presence><show>dnd</show></presence>`)
      await romeo.take(({ from }) => from === juliet.jid, 'that she is here')
      await juliet.settle()
      juliet.drop()
      await juliet.ended
      const nurse = await stage.online('nurse')
      nurse.send(`<presence type='subscribe' to='${await stage.account('juliet')}'/>`)
      await nurse.settle(await stage.account('juliet'))
      const again = await stage.back('juliet')
      await again.takeOver(juliet)
      await again.settle()
      assert(again.inbox.some(({ type }) => type === 'subscribe'))
      await romeo.settle(await stage.account('juliet'))
      // What the account answers to his first presence is of no resource.
      const noticed = romeo.drain('presence').filter(({ from }) => from === juliet.jid)
      assert.deepEqual(noticed.map(String), [])
      const other = await stage.managed('romeo', 0, 'garden')
      other.send('<presence/>')
      const seen = await other.take(({ from }) => from === juliet.jid, 'her presence')
      assert.equal(seen.child('show', 'jabber:client')?.text(), 'dnd')
    },
  )

  tell('C17: a message has one id, live, sent again, and from the mailbox', async (stage) => {
    const juliet = await stage.online('juliet')
    const romeo = await stage.online('romeo', 1)
    const { handled } = juliet
    juliet.answers = false
    romeo.send(message(juliet.jid, 'same'))
    const live = await juliet.next('message')
    juliet.drop()
    juliet.handled = handled
    const again = await stage.back('juliet')
    again.answers = false
    await again.takeOver(juliet)
    const resent = await again.next('message')
    // C16, XEP-0203 §2: only what waited says so, and since when.
    assert.equal(live.child('delay', NS_DELAY), undefined)
    const { from, stamp = '' } = resent.child('delay', NS_DELAY)?.attrs ?? {}
    assert.equal(from, 'capulet.example')
    assert.match(stamp, /^\d{4}-.*Z$/)
    await again.close()
    const next = await stage.managed('juliet', 1)
    next.send('<presence/>')
    const offline = await next.next('message')
    const ids = [live, resent, offline].map((copy) => copy.child('stanza-id', NS_SID)?.attrs.id)
    assert(ids[0])
    assert.deepEqual(ids, [ids[0], ids[0], ids[0]])
  })
})
