import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StanzaError } from '@tactus/stanza'
import { Stanza } from '@tactus/xml'
import { Hooks } from '../src/hooks.ts'
import type { Order } from '../src/module.ts'

/** The order in which modules with these wishes run, registered in this order. */
function chain(modules: Readonly<Record<string, Order>>): readonly string[] {
  const hooks = new Hooks()
  for (const [module, order] of Object.entries(modules))
    hooks.add('account.created', { module, handler: () => {}, order })
  hooks.seal()
  return hooks.chain('account.created')
}

test('handlers run in the order of the catalogue where nobody asks for another', () => {
  assert.deepEqual(chain({ a: {}, b: {}, c: {} }), ['a', 'b', 'c'])
})

test('after and before are kept, and nothing else is moved', () => {
  assert.deepEqual(chain({ a: { after: ['c'] }, b: {}, c: {} }), ['c', 'a', 'b'])
  assert.deepEqual(chain({ a: {}, b: {}, c: { before: ['a'] } }), ['c', 'a', 'b'])
  assert.deepEqual(chain({ a: { after: ['b'] }, b: { after: ['c'] }, c: {} }), ['c', 'b', 'a'])
})

test('a module that is not there is no obstacle', () => {
  assert.deepEqual(chain({ a: { after: ['archive'] }, b: { before: ['carbons'] } }), ['a', 'b'])
})

test('modules that wait for each other are refused at boot, by name', () => {
  assert.throws(
    () => chain({ a: { after: ['b'] }, b: { after: ['a'] } }),
    /account\.created: modules wait for each other: a after b after a/,
  )
  assert.throws(() => chain({ a: { after: ['b'], before: ['b'] }, b: {} }), /wait for each other/)
})

test('a fact reaches all; one that throws fails the input', () => {
  const hooks = new Hooks()
  const told: string[] = []
  for (const module of ['a', 'b'])
    hooks.add('account.created', { module, handler: () => told.push(module), order: {} })
  hooks.add('account.created', {
    module: 'c',
    handler: () => {
      throw new Error('poison')
    },
    order: {},
  })
  hooks.seal()

  assert.throws(() => hooks.fact('account.created', {} as never), /poison/)
  assert.deepEqual(told, ['a', 'b'])
})

test('the first refusal decides', () => {
  const hooks = new Hooks()
  let asked = 0
  const refuse = (): void => {
    asked += 1
    throw new StanzaError('not-allowed')
  }
  for (const module of ['a', 'b'])
    hooks.add('stanza.may-send', { module, handler: refuse, order: {} })
  hooks.seal()

  assert.throws(() => hooks.decide('stanza.may-send', {} as never), { condition: 'not-allowed' })
  assert.equal(asked, 1)
})

test('rewrites see what those before them made', () => {
  const hooks = new Hooks()
  for (const module of ['a', 'b'])
    hooks.add('message.sending', {
      module,
      handler: (stanza: Stanza) => stanza.with({ id: `${stanza.id}${module}` }),
      order: module === 'a' ? { after: ['b'] } : {},
    })
  hooks.seal()
  const stanza = Stanza.parse(Buffer.from("<message id='-'/>"), 'jabber:client')

  assert.equal(hooks.rewrite('message.sending', stanza, {} as never).id, '-ba')
})

test('a duty has one owner, and without one it says so', () => {
  const hooks = new Hooks()
  assert.equal(hooks.duty('presence.inbound', {} as never), false)
  hooks.claim('presence.inbound', 'presence', () => {})
  assert.throws(
    () => hooks.claim('presence.inbound', 'other', () => {}),
    /modules presence and other both claim presence\.inbound/,
  )
  hooks.seal()
  assert.equal(hooks.duty('presence.inbound', {} as never), true)
})
