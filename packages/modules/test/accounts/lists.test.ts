import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CommandDefinition, type Host, hostDirectory, type ReadContext } from '@tactus/core'
import { accountStore, collectRows, coreMigrations, openMemorySqlite } from '@tactus/storage'
import { userCommands } from '../../src/accounts/user-commands.ts'

const host = (name: string): Host => ({
  name,
  anonymous: false,
  registration: 'closed',
  modules: {},
})

/** Storage with these accounts, and what a command sees of it. */
async function contextWith(hosts: readonly string[], ...accounts: readonly string[]) {
  const storage = openMemorySqlite()
  await storage.migrate(coreMigrations)
  await storage.ownership.register('r1')
  const rows = collectRows()
  const account = { createdAt: 0, disabled: false, version: 1, keys: {}, role: 'user' } as const
  const changes = accounts.map((entity) => ({ entity, key: '', before: undefined, after: account }))
  accountStore.save(changes, rows)
  await storage.commit({
    router: 'r1',
    step: 1,
    record: undefined,
    writes: rows.writes(),
    forget: [],
  })
  const context = {
    reader: storage.reader,
    hosts: hostDirectory(hosts.map(host)),
    sessions: async () => [],
  } as unknown as ReadContext
  return { context, [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose]() }
}

function run(name: string, context: ReadContext, input: object): Promise<unknown> {
  const command = userCommands.find(
    (one): one is Extract<CommandDefinition, { mode: 'read' }> =>
      one.mode === 'read' && one.name === name,
  )
  assert.ok(command)
  return command.run(context, command.input.parse(input) as never)
}

const jids = (output: unknown) =>
  (output as { users: { jid: string }[] }).users.map(({ jid }) => jid)

test('user list: pages go on where the last one ended', async () => {
  await using storage = await contextWith(
    ['a.example'],
    'c@a.example',
    'a@a.example',
    'b@a.example',
  )
  const { context } = storage

  const first = await run('user list', context, { limit: 2 })
  const second = await run('user list', context, { limit: 2, after: 'b@a.example' })

  assert.deepEqual(jids(first), ['a@a.example', 'b@a.example'])
  assert.equal((first as { next?: string }).next, 'b@a.example')
  assert.deepEqual(jids(second), ['c@a.example'])
  assert.equal((second as { next?: string }).next, undefined)
})

test('user list: a host sees no other', async () => {
  await using storage = await contextWith(['a.example', 'b.example'], 'x@a.example', 'x@b.example')
  const { context } = storage

  assert.deepEqual(jids(await run('user list', context, { host: 'b.example' })), ['x@b.example'])
  await assert.rejects(run('user list', context, {}), { code: 'invalid' })
  await assert.rejects(run('user list', context, { host: 'c.example' }), { code: 'not-found' })
})

test('user show: an account without its keys', async () => {
  await using storage = await contextWith(['a.example'], 'x@a.example')
  const { context } = storage

  assert.deepEqual(await run('user show', context, { jid: 'x@a.example' }), {
    jid: 'x@a.example',
    createdAt: '1970-01-01T00:00:00.000Z',
    disabled: false,
    role: 'user',
    sessions: [],
  })
  await assert.rejects(run('user show', context, { jid: 'y@a.example' }), { code: 'not-found' })
})
