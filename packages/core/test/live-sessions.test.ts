import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account, Owner, Source } from './support/owner.ts'

test('all sessions: those that wait to be resumed are among them, those that ended are not', async () => {
  await using owner = await Owner.open()
  const balcony = new Source('s1')
  const chamber = new Source('s2')
  const hall = new Source('s3')
  await owner.feed(balcony.open('balcony'), balcony.enable(), balcony.close('dropped'))
  await owner.feed(chamber.open('chamber'), hall.open('hall'), hall.close('closed'))

  const there = [`${account}/balcony hibernates`, `${account}/chamber`]
  assert.deepEqual(await owner.listed(), there)

  await owner.feed(chamber.close('closed'))
  assert.deepEqual(await owner.listed(), there.slice(0, 1))
})

test('all sessions: pages by account and resource, of one host or of all', async () => {
  await using owner = await Owner.open()
  const romeo = 'romeo@montague.example'
  await owner.feed(new Source('s1').open('b'), new Source('s2').open('a'))
  await owner.feed(new Source('s3', romeo).open('orchard'))

  assert.deepEqual(await owner.listed({ limit: 2 }), [`${account}/a`, `${account}/b`])
  assert.deepEqual(await owner.listed({ after: `${account}/a` }), [
    `${account}/b`,
    `${romeo}/orchard`,
  ])
  assert.deepEqual(await owner.listed({ after: `${account}/b` }), [`${romeo}/orchard`])
  assert.deepEqual(await owner.listed({ host: 'montague.example' }), [`${romeo}/orchard`])
  assert.deepEqual(await owner.listed({ host: 'verona.example' }), [])
})
