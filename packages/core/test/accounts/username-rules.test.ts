import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usernameProblem } from '../../src/accounts/username-rules.ts'

for (const name of ['romeo', 'juliet.capulet', 'ромео', 'ρωμαίος', 'benvolio-2', '日本'])
  test(`${name} may be registered`, () => assert.equal(usernameProblem(name), undefined))

for (const [name, why] of [
  ['admin', 'reserved'],
  ['postmaster', 'reserved'],
  ['rоmeo', 'a Cyrillic о among Latin letters'],
  ['a'.repeat(65), 'too long'],
  ['ro\u200dmeo', 'an invisible character'],
  ['call\\20me', 'an escaped space'],
] as const)
  test(`${name} may not be registered: ${why}`, () => assert.ok(usernameProblem(name)))
