import { test } from 'node:test'
import { simulateMany } from './many-seeds.ts'

test('design §3: many random interleavings lose, double and reorder nothing', () =>
  simulateMany('interleavings lose', 2 / 3))
