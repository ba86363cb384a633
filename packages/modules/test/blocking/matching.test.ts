import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJid } from '@tactus/jid'
import { isListed } from '../../src/blocking/matching.ts'

for (const [listed, other, expected] of [
  ['romeo@montague.example/orchard', 'romeo@montague.example/orchard', true],
  ['romeo@montague.example/orchard', 'romeo@montague.example/phone', false],
  ['romeo@montague.example/orchard', 'romeo@montague.example', false],
  ['romeo@montague.example', 'romeo@montague.example/orchard', true],
  ['romeo@montague.example', 'romeo@montague.example', true],
  ['romeo@montague.example', 'montague.example', false],
  ['montague.example/feed', 'montague.example/feed', true],
  ['montague.example/feed', 'montague.example', false],
  ['montague.example/feed', 'romeo@montague.example/feed', false],
  ['montague.example', 'montague.example', true],
  ['montague.example', 'romeo@montague.example/orchard', true],
  ['montague.example', 'montague.example/feed', true],
  ['montague.example', 'romeo@rooms.montague.example', false],
] as const)
  test(`XEP-0191 §5: ${listed} ${expected ? 'covers' : 'does not cover'} ${other}`, () => {
    assert.equal(isListed(new Set([parseJid(listed)]), parseJid(other)), expected)
  })
