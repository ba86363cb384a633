import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SubscriptionType } from '@tactus/stanza'
import {
  inbound,
  noRelation,
  outbound,
  type Relation,
  type Subscription,
} from '../../src/roster/subscription.ts'

type State =
  | 'None'
  | 'None + Pending Out'
  | 'None + Pending In'
  | 'None + Pending Out+In'
  | 'To'
  | 'To + Pending In'
  | 'From'
  | 'From + Pending Out'
  | 'Both'

const state = (subscription: Subscription, ask: boolean, pendingIn: boolean): Relation => ({
  subscription,
  ask,
  pendingIn,
  approved: false,
})

const states: Readonly<Record<State, Relation>> = {
  None: state('none', false, false),
  'None + Pending Out': state('none', true, false),
  'None + Pending In': state('none', false, true),
  'None + Pending Out+In': state('none', true, true),
  To: state('to', false, false),
  'To + Pending In': state('to', false, true),
  From: state('from', false, false),
  'From + Pending Out': state('from', true, false),
  Both: state('both', false, false),
}

const nameOf = ({ subscription, ask, pendingIn }: Relation): string => {
  const pending = [ask && 'Out', pendingIn && 'In'].filter(Boolean).join('+')
  const name = subscription[0]?.toUpperCase() + subscription.slice(1)
  return pending ? `${name} + Pending ${pending}` : name
}

/** State, passed on?, new state; the tables of RFC 6121 Appendix A as they stand there. */
type Table = readonly (readonly [State, 'MUST' | 'MUST NOT', State])[]

const outboundTables: Readonly<Record<SubscriptionType, Table>> = {
  subscribe: [
    ['None', 'MUST', 'None + Pending Out'],
    ['None + Pending Out', 'MUST', 'None + Pending Out'],
    ['None + Pending In', 'MUST', 'None + Pending Out+In'],
    ['None + Pending Out+In', 'MUST', 'None + Pending Out+In'],
    ['To', 'MUST', 'To'],
    ['To + Pending In', 'MUST', 'To + Pending In'],
    ['From', 'MUST', 'From + Pending Out'],
    ['From + Pending Out', 'MUST', 'From + Pending Out'],
    ['Both', 'MUST', 'Both'],
  ],
  unsubscribe: [
    ['None', 'MUST', 'None'],
    ['None + Pending Out', 'MUST', 'None'],
    ['None + Pending In', 'MUST', 'None + Pending In'],
    ['None + Pending Out+In', 'MUST', 'None + Pending In'],
    ['To', 'MUST', 'None'],
    ['To + Pending In', 'MUST', 'None + Pending In'],
    ['From', 'MUST', 'From'],
    ['From + Pending Out', 'MUST', 'From'],
    ['Both', 'MUST', 'From'],
  ],
  subscribed: [
    ['None', 'MUST NOT', 'None'],
    ['None + Pending Out', 'MUST NOT', 'None + Pending Out'],
    ['None + Pending In', 'MUST', 'From'],
    ['None + Pending Out+In', 'MUST', 'From + Pending Out'],
    ['To', 'MUST NOT', 'To'],
    ['To + Pending In', 'MUST', 'Both'],
    ['From', 'MUST NOT', 'From'],
    ['From + Pending Out', 'MUST NOT', 'From + Pending Out'],
    ['Both', 'MUST NOT', 'Both'],
  ],
  unsubscribed: [
    ['None', 'MUST NOT', 'None'],
    ['None + Pending Out', 'MUST NOT', 'None + Pending Out'],
    ['None + Pending In', 'MUST', 'None'],
    ['None + Pending Out+In', 'MUST', 'None + Pending Out'],
    ['To', 'MUST NOT', 'To'],
    ['To + Pending In', 'MUST', 'To'],
    ['From', 'MUST', 'None'],
    ['From + Pending Out', 'MUST', 'None + Pending Out'],
    ['Both', 'MUST', 'To'],
  ],
}

const inboundTables: Readonly<Record<SubscriptionType, Table>> = {
  subscribe: [
    ['None', 'MUST', 'None + Pending In'],
    ['None + Pending Out', 'MUST', 'None + Pending Out+In'],
    ['None + Pending In', 'MUST NOT', 'None + Pending In'],
    ['None + Pending Out+In', 'MUST NOT', 'None + Pending Out+In'],
    ['To', 'MUST', 'To + Pending In'],
    ['To + Pending In', 'MUST NOT', 'To + Pending In'],
    ['From', 'MUST NOT', 'From'],
    ['From + Pending Out', 'MUST NOT', 'From + Pending Out'],
    ['Both', 'MUST NOT', 'Both'],
  ],
  unsubscribe: [
    ['None', 'MUST NOT', 'None'],
    ['None + Pending Out', 'MUST NOT', 'None + Pending Out'],
    ['None + Pending In', 'MUST', 'None'],
    ['None + Pending Out+In', 'MUST', 'None + Pending Out'],
    ['To', 'MUST NOT', 'To'],
    ['To + Pending In', 'MUST', 'To'],
    ['From', 'MUST', 'None'],
    ['From + Pending Out', 'MUST', 'None + Pending Out'],
    ['Both', 'MUST', 'To'],
  ],
  subscribed: [
    ['None', 'MUST NOT', 'None'],
    ['None + Pending Out', 'MUST', 'To'],
    ['None + Pending In', 'MUST NOT', 'None + Pending In'],
    ['None + Pending Out+In', 'MUST', 'To + Pending In'],
    ['To', 'MUST NOT', 'To'],
    ['To + Pending In', 'MUST NOT', 'To + Pending In'],
    ['From', 'MUST NOT', 'From'],
    ['From + Pending Out', 'MUST', 'Both'],
    ['Both', 'MUST NOT', 'Both'],
  ],
  unsubscribed: [
    ['None', 'MUST NOT', 'None'],
    ['None + Pending Out', 'MUST', 'None'],
    ['None + Pending In', 'MUST NOT', 'None + Pending In'],
    ['None + Pending Out+In', 'MUST', 'None + Pending In'],
    ['To', 'MUST', 'None'],
    ['To + Pending In', 'MUST', 'None + Pending In'],
    ['From', 'MUST NOT', 'From'],
    ['From + Pending Out', 'MUST', 'From'],
    ['Both', 'MUST', 'From'],
  ],
}

for (const [type, table] of Object.entries(outboundTables) as [SubscriptionType, Table][])
  for (const [before, routed, after] of table)
    test(`RFC 6121 §A.2, outbound ${type} in "${before}"`, () => {
      const outcome = outbound(states[before], type)
      assert.equal(nameOf(outcome.relation), after)
      assert.equal(outcome.route, routed === 'MUST')
    })

for (const [type, table] of Object.entries(inboundTables) as [SubscriptionType, Table][])
  for (const [before, delivered, after] of table)
    test(`RFC 6121 §A.3, inbound ${type} in "${before}"`, () => {
      const outcome = inbound(states[before], type)
      assert.equal(nameOf(outcome.relation), after)
      assert.equal(outcome.deliver, delivered === 'MUST')
    })

for (const before of ['From', 'From + Pending Out', 'Both'] as const)
  test(`RFC 6121 §A.3.1, note 2: a contact in "${before}" that asks again is told so`, () => {
    assert.equal(inbound(states[before], 'subscribe').autoReply, 'subscribed')
  })

test('RFC 6121 §A.3.1: nobody else is answered for the account', () => {
  for (const before of ['None', 'None + Pending Out', 'None + Pending In', 'To'] as const)
    assert.equal(inbound(states[before], 'subscribe').autoReply, undefined)
})

for (const [before, after] of [
  ['None', 'From'],
  ['None + Pending Out', 'From + Pending Out'],
  ['To', 'Both'],
] as const) {
  test(`RFC 6121 §3.4.2: subscribed in "${before}" approves in advance`, () => {
    const outcome = outbound(states[before], 'subscribed')
    assert.equal(outcome.relation.approved, true)
    assert.equal(outcome.route, false)
  })

  test(`RFC 6121 §3.4.2: an approved contact in "${before}" is let in without asking`, () => {
    const outcome = inbound({ ...states[before], approved: true }, 'subscribe')
    assert.equal(nameOf(outcome.relation), after)
    assert.equal(outcome.deliver, false)
    assert.equal(outcome.autoReply, 'subscribed')
  })

  test(`RFC 6121 §3.4.3: unsubscribed in "${before}" takes the approval back, unsaid`, () => {
    const outcome = outbound({ ...states[before], approved: true }, 'unsubscribed')
    assert.deepEqual(outcome.relation, states[before])
    assert.equal(outcome.route, false)
  })
}

test('a relation is never changed in place', () => {
  outbound(noRelation, 'subscribe')
  inbound(noRelation, 'subscribe')
  assert.equal(nameOf(noRelation), 'None')
})
