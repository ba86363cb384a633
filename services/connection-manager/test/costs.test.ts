import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scene } from './support/scene.ts'

const message = (id: string): string => `<message to='x@y' id='${id}'/>`

test('V49: a client whose account owes is not read for so long, and goes on where it was', async () => {
  await using stage = await scene()
  const romeo = await stage.login('romeo')
  const benvolio = await stage.login('benvolio')
  const [session = ''] = stage.owner.sessions.keys()
  const owned = stage.owner.sessions.get(session)
  const pause = { kind: 'session.pause', session, epoch: 1, milliseconds: 400 } as const
  await stage.owner.output(owned?.cm ?? '', pause)
  await stage.owner.deliver(session, "<message id='barrier'/>")
  await romeo.until('barrier')

  const taken = (): string[] =>
    stage.owner.taken.flatMap((frame) =>
      frame.kind === 'session.stanza' ? (frame.stanza.id ?? '') : [],
    )
  romeo.send(message('held'))
  benvolio.send(message('free'))
  await stage.owner.until(() => taken().length === 2)
  assert.deepEqual(taken(), ['free', 'held'])
})
