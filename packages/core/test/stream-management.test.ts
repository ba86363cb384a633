import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account, Owner, Source } from './support/owner.ts'

const toSelf = `<message to='${account}/balcony' type='headline'/>`

async function enabled(owner: Owner, resume = true): Promise<Source> {
  const source = new Source('s1')
  await owner.feed(source.open('balcony'), source.enable(resume))
  return source
}

async function outcome(owner: Owner, cm = 'cm-2') {
  return (await owner.heardOf('session.resumed', cm)).at(-1)?.outcome
}

test('XEP-0198 §3: enabled from here on, with an id only where it may be resumed', async () => {
  await using owner = await Owner.open({ resumeWithin: 60_000 })
  const source = new Source('s1')
  await owner.feed(source.open('balcony'), source.stanza(toSelf), source.enable())
  const other = new Source('s2')
  await owner.feed(other.open('chamber'), other.enable(false))

  const frames = await owner.heardOf('session.enabled')
  assert.deepEqual(
    frames.map(({ n, id, max }) => ({ n, id, max })),
    [
      { n: 1, id: 's1', max: 60 },
      { n: 0, id: undefined, max: undefined },
    ],
  )
})

test('XEP-0198 §4: h counts stanzas since then, and nothing else', async () => {
  await using owner = await Owner.open()
  const source = new Source('s1')
  await owner.feed(source.open('balcony'), source.stanza(toSelf), source.enable())
  await owner.feed(source.stanza(toSelf), source.stanza('<presence/>'))

  const frames = await owner.heardOf('committed')
  assert.deepEqual(frames.at(-1)?.sessions, [['s1', 5, 2]])
})

test('XEP-0198 §5: resumed elsewhere, with what the client lacks; the old socket gets conflict', async () => {
  await using owner = await Owner.open()
  const source = await enabled(owner)
  await owner.feed(source.stanza(toSelf), source.stanza(toSelf), source.stanza(toSelf))
  await owner.feed(source.resume('a1', 1))

  assert.deepEqual(await outcome(owner), {
    resumed: true,
    jid: `${account}/balcony`,
    epoch: 2,
    h: 3,
    seq: 5,
    from: 1,
    to: 3,
    base: 0,
  })
  const [ended] = await owner.heardOf('session.end')
  assert.deepEqual([ended?.session, ended?.epoch, ended?.condition], ['s1', 1, 'conflict'])

  source.epoch = 2
  await owner.feed(source.stanza(toSelf))
  assert.equal((await owner.heardOf('deliver', 'cm-2'))[0]?.targets[0]?.n, 4)
})

test('design §3.7: a repeat of an attempt is answered again, not run again', async () => {
  await using owner = await Owner.open()
  const source = await enabled(owner)
  await owner.feed(source.stanza(toSelf), source.resume('a1', 0))
  const first = await outcome(owner)
  await owner.feed(source.resume('a1', 0))

  assert.deepEqual(await outcome(owner), first)
  await owner.feed(source.resume('a2', 0))
  const again = await outcome(owner)
  assert.equal(again?.resumed === true && again.epoch, 3)
})

test('design §3.7: an attempt that another has overtaken is void, so nobody frozen takes a session back', async () => {
  await using owner = await Owner.open()
  const source = await enabled(owner)
  await owner.feed(source.resume('a1', 0, 'cm-1'), source.resume('a2', 0))
  await owner.heard('cm-1')

  await owner.feed(source.resume('a1', 0, 'cm-1'), source.resume('a2', 0))

  assert.equal((await outcome(owner, 'cm-1'))?.resumed, false)
  const found = await outcome(owner)
  assert.equal(found?.resumed === true && found.epoch, 3)
})

test('C2: a count beyond what was sent is refused, and the session lives on', async () => {
  await using owner = await Owner.open()
  const source = await enabled(owner)
  await owner.feed(source.stanza(toSelf), source.resume('a1', 2))

  assert.deepEqual(await outcome(owner), {
    resumed: false,
    condition: 'handled-count-too-high',
    h: 1,
  })
  await owner.feed(source.resume('a2', 1))
  assert.equal((await outcome(owner))?.resumed, true)
})

test('C1: a count below what was acknowledged cannot be right either', async () => {
  await using owner = await Owner.open()
  const source = await enabled(owner)
  await owner.feed(source.stanza(toSelf), source.stanza(toSelf), source.ack(2))
  await owner.feed(source.resume('a1', 1))

  assert.equal((await outcome(owner))?.resumed, false)
})

test('XEP-0198 §5: a lost connection waits; what comes meanwhile is sent on resumption', async () => {
  await using owner = await Owner.open()
  const source = await enabled(owner)
  const other = new Source('s2')
  await owner.feed(source.close('dropped'), other.open('chamber'), other.stanza(toSelf))
  assert.deepEqual(await owner.heardOf('deliver'), [])

  await owner.feed(source.resume('a1', 0))

  const found = await outcome(owner)
  assert.deepEqual(found?.resumed && [found.from, found.to], [0, 1])
})

test('C21: an orderly close cannot be resumed', async () => {
  await using owner = await Owner.open()
  const source = await enabled(owner)
  await owner.feed(source.close('closed'), source.resume('a1', 0))

  const found = await outcome(owner)
  assert.deepEqual(found?.resumed === false && found.condition, 'item-not-found')
})

test('nor can what never asked to be resumable', async () => {
  await using owner = await Owner.open()
  const source = await enabled(owner, false)
  const other = new Source('s2')
  await owner.feed(source.close('dropped'), other.open('chamber'))
  const ping = `<iq to='${account}/balcony' type='get' id='q'><q xmlns='urn:example'/></iq>`
  await owner.feed(source.resume('a1', 0), other.stanza(ping))

  assert.equal((await outcome(owner))?.resumed, false)
  // It does not hibernate either: whoever asks it something is told that it is gone.
  assert.equal((await owner.heardOf('deliver'))[0]?.stanza.type, 'error')
})

test('C10: after the time is over it is refused, with the exact count', async () => {
  await using owner = await Owner.open({ resumeWithin: 0 })
  const source = await enabled(owner)
  await owner.feed(source.stanza(toSelf), source.stanza(toSelf), source.close('dropped'))
  await owner.expired()
  await owner.feed(source.resume('a1', 0))

  assert.deepEqual(await outcome(owner), { resumed: false, condition: 'item-not-found', h: 2 })
})

test('C10: nor does it matter how the session ended', async () => {
  await using owner = await Owner.open({ queueStanzas: 1 })
  const source = await enabled(owner)
  for (let n = 0; n < 11; n += 1) await owner.feed(source.stanza(toSelf))
  await owner.feed(source.resume('a1', 0))

  assert.deepEqual(await outcome(owner), { resumed: false, condition: 'item-not-found', h: 11 })
})
