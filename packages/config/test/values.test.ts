import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import {
  formatAddress,
  formatDuration,
  formatSize,
  maskUrl,
  parseAddress,
  parseDuration,
  parseSize,
  Secret,
} from '../src/index.ts'

const table = (
  title: string,
  parse: (input: unknown) => unknown,
  rows: readonly (readonly [input: unknown, expected: unknown])[],
): void => {
  for (const [input, expected] of rows)
    test(`${title} ${inspect(input)}`, () => assert.deepEqual(parse(input), expected))
}

table('duration', parseDuration, [
  ['0', 0],
  [0, 0],
  ['250ms', 250],
  ['30s', 30_000],
  ['1h30m', 5_400_000],
  ['1.5s', 1_500],
  ['2w', 1_209_600_000],
  ['30', undefined],
  [30, undefined],
  ['-1s', undefined],
  ['1s ', undefined],
  ['s', undefined],
  ['99999999999999999w', undefined],
  [true, undefined],
])

table('size', parseSize, [
  ['262144', 262_144],
  [262_144, 262_144],
  ['256KiB', 262_144],
  ['256 KiB', 262_144],
  ['1.5MiB', 1_572_864],
  ['10MB', 10_000_000],
  ['1GiB', 1_073_741_824],
  ['1.5', undefined],
  ['-1', undefined],
  ['12 apples', undefined],
  ['256kib', undefined],
  ['99999999GiB', undefined],
  [null, undefined],
])

table('address', parseAddress, [
  [5222, { host: undefined, port: 5222 }],
  ['5222', { host: undefined, port: 5222 }],
  ['*:5222', { host: undefined, port: 5222 }],
  ['127.0.0.1:15222', { host: '127.0.0.1', port: 15_222 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['[::1]:5222', { host: '::1', port: 5222 }],
  ['[fe80::1%eth0]:5222', { host: 'fe80::1%eth0', port: 5222 }],
  ['65536', undefined],
  ['::1:5222', undefined],
  ['127.0.0.1', undefined],
  ['127.0.0.1:', undefined],
  [-1, undefined],
  [{}, undefined],
])

test('a duration, a size and an address are read as they are written', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 0, max: 65_535 }), (figure, port) => {
      assert.equal(parseDuration(formatDuration(figure)), figure)
      assert.equal(parseSize(formatSize(figure)), figure)
      for (const host of [undefined, '::1', '127.0.0.1'])
        assert.deepEqual(parseAddress(formatAddress({ host, port })), { host, port })
    }),
  )
})

test('a secret shows itself to nobody who does not ask', () => {
  const secret = new Secret('wherefore')
  const shown = [`${secret}`, JSON.stringify({ secret }), inspect({ secret }, { showHidden: true })]
  for (const text of shown) assert(!text.includes('wherefore'), text)
  assert.equal(secret.reveal(), 'wherefore')
})

test('a URL keeps its password to itself', () => {
  assert.equal(maskUrl('postgres://x:p:w@h/db'), 'postgres://x:********@h/db')
  assert.equal(maskUrl('redis://:geheim@h:6379'), 'redis://:********@h:6379')
  assert.equal(maskUrl('postgres://x@h/db'), 'postgres://x@h/db')
  assert.equal(maskUrl('./data'), './data')
})
