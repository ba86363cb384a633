import assert from 'node:assert/strict'
import type { Client } from '@tactus/testkit'

/**
 * Asks an account that exists and one that does not the same question; what comes back must tell nobody which is which
 * (RFC 6120 §8.3.3.19, RFC 6121 §8.5.1).
 */
export async function assertAlike(
  asking: Client,
  ask: (account: string) => Promise<void>,
  [existing, missing]: readonly [string, string],
): Promise<void> {
  const answers: string[] = []
  for (const account of [existing, missing]) {
    await ask(account)
    const texts = asking.drain().map((stanza) => String(stanza).replaceAll(account, 'somebody'))
    answers.push(texts.join('\n'))
  }
  assert.notEqual(answers[0], '', 'nothing was answered')
  assert.equal(answers[0], answers[1])
}
