import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'

const secret = 'wherefore-art-thou'

story('user add: an account is there, once', async ({ command, connect }) => {
  assert.deepEqual(await command('user add', { jid: 'nurse@capulet.example', password: secret }), {
    jid: 'nurse@capulet.example',
  })
  await assert.rejects(command('user add', { jid: 'nurse@capulet.example', password: secret }), {
    code: 'conflict',
  })
  await connect('nurse@capulet.example/hall')
})

story('user passwd: all sessions end', async ({ command, connect }) => {
  const juliet = await connect('juliet@capulet.example/balcony')

  await command('user passwd', { jid: juliet.account, password: secret })

  assert.equal(juliet.ended(), 'reset')
  await assert.rejects(
    command('user passwd', { jid: 'nobody@capulet.example', password: secret }),
    {
      code: 'not-found',
    },
  )
})

story('user delete: of nobody it says so', async ({ command }) => {
  await assert.rejects(command('user delete', { jid: 'nobody@capulet.example' }), {
    code: 'not-found',
  })
})

story('session kick: ends that session and no other', async ({ command, connect }) => {
  const balcony = await connect('juliet@capulet.example/balcony')
  const chamber = await connect('juliet@capulet.example/chamber')

  await command('session kick', { jid: balcony.jid, reason: 'Paris is waiting.' })

  assert.equal(balcony.ended(), 'policy-violation')
  assert.equal(chamber.ended(), undefined)
  await assert.rejects(command('session kick', { jid: balcony.jid }), { code: 'not-found' })
})

story('account.register: a host that is closed stays so', async ({ command }) => {
  await assert.rejects(
    command('account.register', { jid: 'tybalt@capulet.example', password: secret }),
    { code: 'not-allowed' },
  )
})

story('a host that is not served: commands say so at once', async ({ command }) => {
  const refused = { code: 'not-found', message: /^verona\.example is not served here; montague/ }

  await assert.rejects(command('user delete', { jid: 'escalus@verona.example' }), refused)
  await assert.rejects(command('session list', { jid: 'escalus@verona.example' }), refused)
  await assert.rejects(command('session list', { host: 'verona.example' }), refused)
})

story('session list: all sessions by address, in pages', async ({ command, connect }) => {
  for (const resource of ['c', 'a', 'b']) await connect(`juliet@capulet.example/${resource}`)
  await connect('nurse@capulet.example/hall')
  await connect('romeo@montague.example/orchard')
  const page = async (given: object): Promise<readonly string[]> => {
    const output = (await command('session list', given)) as Page
    return [
      ...output.sessions.map(({ jid }) => jid),
      ...(output.next ? [`then ${output.next}`] : []),
    ]
  }

  assert.deepEqual(await page({ host: 'capulet.example', limit: 2 }), [
    'juliet@capulet.example/a',
    'juliet@capulet.example/b',
    'then juliet@capulet.example/b',
  ])
  assert.deepEqual(await page({ host: 'capulet.example', after: 'juliet@capulet.example/b' }), [
    'juliet@capulet.example/c',
    'nurse@capulet.example/hall',
  ])
  assert.deepEqual(await page({ host: 'montague.example' }), ['romeo@montague.example/orchard'])
})

story(
  'account.register: an open host takes strangers, once, by names that are no trap',
  { config: { hosts: { 'open.example': { registration: { policy: 'open' } } } } },
  async ({ command, connect }) => {
    const register = (jid: string): Promise<unknown> =>
      command('account.register', { jid, password: secret })

    assert.deepEqual(await register('tybalt@open.example'), { jid: 'tybalt@open.example' })
    await assert.rejects(register('tybalt@open.example'), { code: 'conflict' })
    await assert.rejects(register('admin@open.example'), { code: 'not-acceptable' })
    await connect('tybalt@open.example/street')
  },
)

story('user add: a password that is none is refused in plain words', async ({ command }) => {
  const add = (password: string): Promise<unknown> =>
    command('user add', { jid: 'nurse@capulet.example', password })

  await assert.rejects(add(''), { code: 'invalid', message: 'password: must not be empty' })
  await assert.rejects(add('x'.repeat(1_024)), { message: 'password: has at most 1023 characters' })
})

interface Page {
  readonly sessions: readonly { readonly jid: string }[]
  readonly next?: string
}
