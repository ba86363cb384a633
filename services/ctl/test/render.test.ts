import assert from 'node:assert/strict'
import { test } from 'node:test'
import { render } from '../src/render.ts'

test('nothing to say is said', () => {
  assert.equal(render(null), 'done')
  assert.equal(render(undefined), 'done')
  assert.equal(render({}), 'done')
  assert.equal(render([]), 'none')
  assert.equal(render({ users: [] }), 'none')
})

test('a list of records is a table whose columns line up', () => {
  const rows = [
    { jid: 'a@b', since: 'now' },
    { jid: 'juliet@capulet.example', role: 'admin' },
  ]
  assert.equal(
    render(rows),
    [
      'JID                     SINCE  ROLE',
      'a@b                     now    -',
      'juliet@capulet.example  -      admin',
    ].join('\n'),
  )
})

test('a page is its list, then what else it says', () => {
  assert.equal(render({ next: 'b@c', users: [{ jid: 'a@c' }] }), 'JID\na@c\nnext: b@c')
})

test('one record is a line for each of its fields; what is unset is left out', () => {
  assert.equal(render({ jid: 'a@b', role: 'user', next: undefined }), 'jid: a@b\nrole: user')
})

test('a terminal does not obey what accounts contain', () => {
  const hostile = 'x\u001b[2Jy\u009bz'
  for (const output of [{ name: hostile }, [{ name: hostile }], [hostile]])
    assert.doesNotMatch(render(output), /[^\P{Cc}\n]/u)
  assert.equal(render({ name: hostile }), 'name: x\\x1b[2Jy\\x9bz')
})
