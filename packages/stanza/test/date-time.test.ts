import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { formatDateTime, parseDateTime } from '../src/index.ts'

describe('XEP-0082 §3.2: DateTime', () => {
  const table: readonly [string, string][] = [
    ['1969-07-21T02:56:15Z', '1969-07-21T02:56:15.000Z'],
    ['1969-07-20T21:56:15-05:00', '1969-07-21T02:56:15.000Z'],
    ['2026-03-01T12:00:00+05:30', '2026-03-01T06:30:00.000Z'],
    ['2026-03-01T12:00:00.5Z', '2026-03-01T12:00:00.500Z'],
    ['2026-03-01T12:00:00.123456789Z', '2026-03-01T12:00:00.123Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
    ['2026-01-01T00:00:00+14:00', '2025-12-31T10:00:00.000Z'],
  ]
  for (const [text, utc] of table)
    test(`${text} is ${utc}`, () => {
      const moment = parseDateTime(text)
      assert.ok(moment !== undefined)
      assert.equal(formatDateTime(moment), utc)
    })

  const invalid = [
    '',
    '2026-03-01',
    '12:00:00Z',
    '2026-03-01T12:00:00',
    '2026-03-01 12:00:00Z',
    '2026-03-01t12:00:00z',
    '20260301T12:00:00',
    '2026-02-29T12:00:00Z',
    '2026-13-01T12:00:00Z',
    '2026-00-01T12:00:00Z',
    '2026-01-00T12:00:00Z',
    '2026-04-31T12:00:00Z',
    '2026-03-01T24:00:00Z',
    '2026-03-01T12:60:00Z',
    '2026-03-01T12:00:60Z',
    '2026-03-01T12:00:00.Z',
    '2026-03-01T12:00:00,5Z',
    '2026-03-01T12:00:00.1234567890Z',
    '2026-03-01T12:00:00+15:00',
    '2026-03-01T12:00:00+01:60',
    '2026-03-01T12:00:00+0100',
    '-026-03-01T12:00:00Z',
    '12026-03-01T12:00:00Z',
    '2026-03-01T12:00:00Z\n',
    ' 2026-03-01T12:00:00Z',
    '\u0662\u0660\u0662\u0666-03-01T12:00:00Z',
  ]
  for (const text of invalid)
    test(`${JSON.stringify(text)} is no moment`, () => assert.equal(parseDateTime(text), undefined))

  test('what we write we read', () => {
    const moments = fc.integer({ min: Date.parse('0000-01-01'), max: Date.parse('9999-12-31') })
    fc.assert(
      fc.property(moments, (moment) => assert.equal(parseDateTime(formatDateTime(moment)), moment)),
    )
  })
})
