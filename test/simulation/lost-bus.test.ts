import { test } from 'node:test'
import { simulateMany } from './many-seeds.ts'

// The package's test makes half as many of this kind as it is asked for.
test('design §3.11: many random interleavings with a lost bus keep what was acknowledged', () =>
  simulateMany('with a lost bus', 2 / 3))
