import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Scene, scene } from './support/scene.ts'

const state = (name: string): string => `<${name} xmlns='urn:xmpp:csi:0'/>`
const message = (id: string): string => `<message to='x@y' id='${id}'/>`

/** What the owner took after the binding. */
const taken = (stage: Scene): string[] =>
  stage.owner.taken.flatMap((frame) => {
    if (frame.kind === 'session.state') return `${frame.seq} ${frame.state}`
    return frame.kind === 'session.stanza' ? `${frame.seq} ${frame.stanza.id}` : []
  })

test('XEP-0352 §5.1: a state is told at its place among the stanzas, once', async () => {
  await using stage = await scene()
  const client = await stage.login('romeo')
  const states = [state('active'), state('inactive'), state('inactive')]
  client.send(states.join('') + message('a') + state('active') + message('b'))

  await stage.owner.until(() => taken(stage).length === 4)
  assert.deepEqual(taken(stage), ['2 inactive', '3 a', '4 active', '5 b'])
  client.close()
})

test('design §5: a router that does not know of states is told none', async () => {
  await using stage = await scene({ protocol: 1 })
  const client = await stage.login('romeo')
  client.send(state('inactive') + message('a'))

  await stage.owner.until(() => taken(stage).length === 1)
  assert.deepEqual(taken(stage), ['2 a'])
  client.close()
})

test('RFC 6120 §4.9.3.24: what else is said of a state ends the stream', async () => {
  await using stage = await scene()
  const client = await stage.login('romeo')
  client.send(state('asleep'))

  assert.match(await client.untilClosed(), /<unsupported-stanza-type/)
})
