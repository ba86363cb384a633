import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitOptions } from '../src/options.ts'

const none = { words: [], file: undefined, data: undefined, json: false, help: false }

test('options of tactusctl are taken out wherever they stand', () => {
  for (const line of [
    '--json -c a.yaml user list --host x',
    'user --config a.yaml list --json --host x',
    'user list --host x --json --config=a.yaml',
  ])
    assert.deepEqual(splitOptions(line.split(' ')), {
      ...none,
      words: ['user', 'list', '--host', 'x'],
      file: 'a.yaml',
      json: true,
    })
})

test('short and long forms mean the same', () => {
  assert.deepEqual(splitOptions(['-d', 'there', '-h']), { ...none, data: 'there', help: true })
  assert.deepEqual(splitOptions(['--data=there', '--help']), {
    ...none,
    data: 'there',
    help: true,
  })
})

test('what follows -- is left alone', () => {
  assert.deepEqual(splitOptions(['user', '--', '--json', '-c']), {
    ...none,
    words: ['user', '--json', '-c'],
  })
})

test('a value may contain an equals sign', () => {
  assert.equal(splitOptions(['--data=a=b']).data, 'a=b')
  assert.deepEqual(splitOptions(['user', 'add', 'a@b', '--password', 'x=y']).words.at(-1), 'x=y')
})
