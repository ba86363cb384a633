import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canOwnServices } from '@tactus/testkit'
import { deeds } from './nemesis.ts'
import { isGood, render } from './report.ts'
import { runChaos } from './run.ts'

/** For the kills, for everybody to settle, and for all archives to be read on a slow machine, ms. */
const timeout = 600_000

test('any process may die at any moment: nothing accepted is lost, doubled or put out of order', {
  timeout,
}, async (context) => {
  if (!canOwnServices(context)) return
  const told: string[] = []
  const report = await runChaos({
    seed: 20,
    minutes: 3,
    // Every kind of harm once, and most of them twice.
    kills: Math.max(20, deeds.length),
    clients: 40,
    rate: 100,
    say: (text) => told.push(text),
  })
  const text = render(report)
  for (const line of text.split('\n')) context.diagnostic(line)
  if (!isGood(report)) context.diagnostic(told.join('\n').slice(-50_000))
  assert(isGood(report), text)
  assert(report.kills >= 20, `${report.kills} kills`)
  assert(report.resumed > 50, `${report.resumed} resumptions`)
  assert(report.verdict.accepted > 2_000, `${report.verdict.accepted} accepted`)
})
