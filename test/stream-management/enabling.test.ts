import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { TestServer } from '@tactus/testkit'
import { message, stages } from './stage.ts'

const NS = 'urn:xmpp:sm:3'
const noCounts = ['', '-1', '+1', ' 1', '1e3', '0x10', '1.0', '4294967296', 'one']

/** Says it in a stream that has not authenticated; resolves with all that came when `until` has. */
async function beforeAuthentication(
  server: TestServer,
  text: string,
  until: string,
): Promise<string> {
  const socket = connect(server.port('c2s', 0), '127.0.0.1')
  socket.write(
    `<stream:stream to='capulet.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>${text}`,
  )
  let heard = ''
  for await (const chunk of socket) {
    heard += String(chunk)
    if (heard.includes(until)) break
  }
  socket.destroy()
  return heard
}

stages({ limits: { rates: 'off', resumption: { window: '5m', ackTimeout: '3s' } } }, (tell) => {
  tell(
    '§3, C8, C9: <enabled/> has an id of 128 random bits and says how long it is good for',
    async (stage) => {
      const one = await stage.bound('juliet')
      const enabled = await one.enable("resume='1'")
      assert.equal(enabled.attrs.resume, 'true')
      assert.equal(enabled.attrs.max, '300')
      assert.equal(enabled.attrs.location, undefined)
      assert.equal(Buffer.from(enabled.attrs.id ?? '', 'base64url').length, 16)
      const other = await stage.managed('romeo')
      assert.notEqual(other.id, one.id)
    },
  )

  tell('§3: who does not ask for resumption gets no id', async (stage) => {
    const juliet = await stage.bound('juliet')
    const { attrs } = await juliet.enable('')
    assert.deepEqual([attrs.id, attrs.resume, attrs.max], [undefined, undefined, undefined])
  })

  tell('§3, C8: a client may want less, and gets no more than there is', async (stage) => {
    const modest = await (await stage.bound('juliet')).enable("resume='true' max='60'")
    assert.equal(modest.attrs.max, '60')
    const greedy = await (await stage.bound('romeo')).enable("resume='true' max='999999999'")
    assert(Number(greedy.attrs.max) <= 3_600, `max is ${greedy.attrs.max}`)
    const strange = await (await stage.bound('nurse')).enable("resume='true' max='soon'")
    assert.equal(strange.attrs.max, '300')
  })

  tell('§3, C7: before authentication there is nothing to enable or resume', async ({ server }) => {
    for (const text of [`<enable xmlns='${NS}'/>`, `<resume xmlns='${NS}' previd='x' h='0'/>`]) {
      const heard = await beforeAuthentication(server, text, '</failed>')
      assert.match(heard, /<failed [^>]*><unexpected-request /)
    }
  })

  tell(
    '§3, C7: before binding there is nothing to enable, and one may bind then',
    async (stage) => {
      const juliet = await stage.back('juliet')
      juliet.send(`<enable xmlns='${NS}' resume='true'/>`)
      const failed = await juliet.next('failed')
      assert.equal(failed.children[0]?.name, 'unexpected-request')
      await juliet.link.bind('balcony')
      await juliet.enable()
    },
  )

  tell('§3, C7: a second <enable/> ends the stream', async (stage) => {
    const juliet = await stage.managed('juliet')
    juliet.send(`<enable xmlns='${NS}' resume='true'/>`)
    assert.equal(await juliet.ended, 'policy-violation')
    const hasty = await stage.bound('romeo')
    hasty.send(`<enable xmlns='${NS}'/><enable xmlns='${NS}'/>`)
    assert.equal(await hasty.ended, 'policy-violation')
  })

  tell('§5, C7: after binding there is nothing to resume', async (stage) => {
    const juliet = await stage.managed('juliet')
    const failed = await juliet.resume(juliet.id, 0)
    assert.equal(failed.name, 'failed')
    assert.equal(failed.children[0]?.name, 'unexpected-request')
    await juliet.settle()
  })

  tell(
    '§4, C6: what follows <enable/> at once counts, what came before does not',
    async (stage) => {
      const juliet = await stage.bound('juliet')
      const to = await stage.account('romeo')
      const early = `<presence/>${message(to, 'before')}`
      juliet.send(
        `${early}<enable xmlns='${NS}' resume='true'/>${message(to, 'one')}${message(to, 'two')}`,
      )
      await juliet.next('enabled')
      await juliet.acknowledged(2)
    },
  )

  tell('§4, C5: every stanza counts, and nothing else', async (stage) => {
    const juliet = await stage.managed('juliet')
    const unknown = 'nobody@capulet.example'
    juliet.send(message(unknown, 'refused'))
    juliet.send(`<iq type='get' id='bad'><query xmlns='urn:example:unknown'/></iq>`)
    juliet.send(message(juliet.jid, 'to myself'))
    juliet.send(`<presence to='${unknown}'/> \n <iq type='result' id='unasked'/>`)
    juliet.send(`<message/><iq type='set' id='two'><a xmlns='x'/><b xmlns='x'/></iq>`)
    juliet.ask()
    juliet.acknowledge(0)
    await juliet.acknowledged(7)
    await juliet.take(({ id, type }) => id === 'bad' && type === 'error', 'the error')
    // What nobody refused comes from another partition.
    await juliet.settle(unknown)
    // The other direction: errors and one's own count too.
    juliet.acknowledge()
    await juliet.settle()
    juliet.acknowledge(juliet.handled + 1)
    assert.equal(await juliet.ended, 'undefined-condition')
  })

  tell(
    '§4, C2: who acknowledges more than was sent is told both counts and cut off',
    async (stage) => {
      const juliet = await stage.managed('juliet')
      await juliet.settle()
      juliet.acknowledge(9)
      const error = await juliet.next('error')
      const tooHigh = error.child('handled-count-too-high', NS)
      assert.equal(tooHigh?.attrs.h, '9')
      assert.equal(tooHigh?.attrs['send-count'], '1')
      assert.equal(await juliet.ended, 'undefined-condition')
    },
  )

  tell('§4, C3: who acknowledges less than before is cut off', async (stage) => {
    const juliet = await stage.managed('juliet')
    await juliet.settle()
    await juliet.settle()
    juliet.acknowledge(2)
    juliet.acknowledge(1)
    assert.equal(await juliet.ended, 'undefined-condition')
  })

  tell('§4, C4: a count that is none ends the stream', async (stage) => {
    for (const count of noCounts) {
      const juliet = await stage.managed('juliet')
      juliet.acknowledge(count)
      assert.equal(await juliet.ended, 'policy-violation', `h='${count}'`)
    }
    const silent = await stage.managed('juliet')
    silent.send(`<a xmlns='${NS}'/>`)
    assert.equal(await silent.ended, 'policy-violation')
  })

  tell('§4, C20: a flood of <r/> is answered, but not each of it', async (stage) => {
    const juliet = await stage.managed('juliet')
    juliet.send(message(juliet.jid, 'one') + `<r xmlns='${NS}'/>`.repeat(2_000))
    await juliet.acknowledged(1)
    await juliet.settle()
    const answers = juliet.drain('a').length
    assert(answers < 200, `${answers} answers`)
  })

  tell('§4, C20: a flood of <a/> does no harm', async (stage) => {
    const juliet = await stage.managed('juliet')
    await juliet.settle()
    juliet.send(`<a xmlns='${NS}' h='1'/>`.repeat(5_000))
    await juliet.settle()
  })

  tell('§4: acknowledgements are asked for at a measured pace', async (stage) => {
    const juliet = await stage.online('juliet')
    const romeo = await stage.online('romeo')
    for (let n = 0; n < 400; n += 1) romeo.send(message(juliet.jid, `${n}`))
    for (let n = 0; n < 400; n += 1) await juliet.next('message')
    await juliet.next('r')
    const asked = 1 + juliet.drain('r').length
    assert(asked <= 40, `asked ${asked} times`)
  })

  tell('§4, C19: who does not acknowledge in time is cut off and may come back', async (stage) => {
    const juliet = await stage.online('juliet')
    const romeo = await stage.online('romeo')
    juliet.answers = false
    const { handled } = juliet
    romeo.send(message(juliet.jid, 'unheard'))
    assert.equal(await juliet.ended, 'connection-timeout')
    const again = await stage.back('juliet')
    juliet.handled = handled
    await again.takeOver(juliet)
    assert.equal((await again.next('message')).id, 'unheard')
  })
})
