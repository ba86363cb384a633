import assert from 'node:assert/strict'
import { story } from '@tactus/testkit'
import {
  actionsOf,
  admin,
  benvolioHall,
  command,
  formOf,
  host,
  items,
  NS,
  refused,
  type Said,
  sessionOf,
  statusOf,
  valuesOf,
} from './adhoc/commands.ts'

story('XEP-0050 §2.1, §2.2: support, the list and one command are discovered', async (tale) => {
  const benvolio = await admin(tale)

  await benvolio.send`<iq type='get' id='1' to='${host}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
  assert(String(await benvolio.hears('1')).includes(`<feature var='${NS}'/>`))
  await benvolio.send`<iq type='get' id='2' to='${host}'><query xmlns='http://jabber.org/protocol/disco#info' node='${NS}'/></iq>`
  assert.match(String(await benvolio.hears('2')), /category='automation' type='command-list'/)
  await benvolio.send`<iq type='get' id='3' to='${host}'><query xmlns='http://jabber.org/protocol/disco#info' node='tactus#user-show'/></iq>`
  benvolio.receives`<iq type='result' id='3' from='${host}' to='${benvolio.jid}'><query xmlns='http://jabber.org/protocol/disco#info' node='tactus#user-show'>
    <identity category='automation' type='command-node' name='User show'/>
    <feature var='${NS}'/><feature var='jabber:x:data'/></query></iq>`
  assert((await items(benvolio)).includes('tactus#user-delete'))
})

story(
  'XEP-0050 §2.2: an ordinary account sees what it may run and is refused the rest',
  async (tale) => {
    const romeo = await tale.connect('romeo@montague.example/orchard')
    await tale.connect('juliet@capulet.example/balcony')

    const shown = await items(romeo)
    assert(shown.includes('tactus#session-list') && shown.includes('tactus#user-show'))
    for (const other of ['user-add', 'user-delete', 'user-list', 'bus-status', 'account.register'])
      assert(!shown.includes(`tactus#${other}`), other)
    await romeo.send`<iq type='get' id='1' to='${host}'><query xmlns='http://jabber.org/protocol/disco#info' node='tactus#user-delete'/></iq>`
    refused(await romeo.hears('1'), 'forbidden')
    refused(await command(romeo, 'tactus#user-delete'), 'forbidden')
    refused(await command(romeo, 'tactus#bus-status'), 'forbidden')
    refused(await command(romeo, 'tactus#account.register'), 'item-not-found')
    refused(await command(romeo, 'tactus#no-such'), 'item-not-found')
  },
)

story('an account runs what it may about itself, and about nobody else', async (tale) => {
  const romeo = await tale.connect('romeo@montague.example/orchard')
  const phone = await tale.connect('romeo@montague.example/phone')
  const juliet = await tale.connect('juliet@montague.example/balcony')

  // It need not say who it is, so there is nothing to ask.
  const shown = await command(romeo, 'tactus#user-show', { fields: { jid: juliet.account } })
  assert.equal(statusOf(shown), 'completed')
  assert.deepEqual(valuesOf(formOf(shown), 'jid'), [romeo.account])
  assert.deepEqual(valuesOf(formOf(shown), 'sessions'), [romeo.jid, phone.jid])

  const kick = await command(romeo, 'tactus#session-kick')
  const of = { session: sessionOf(kick) }
  refused(
    await command(romeo, 'tactus#session-kick', { ...of, fields: { jid: juliet.jid } }),
    'forbidden',
  )
  const done = await command(romeo, 'tactus#session-kick', { ...of, fields: { jid: phone.jid } })
  assert.equal(statusOf(done), 'completed')
  assert.equal(phone.ended(), 'policy-violation')
  assert.equal(juliet.ended(), undefined)
})

story('an administrator of a host runs commands about that host only', async (tale) => {
  const benvolio = await admin(tale)
  const juliet = await tale.connect('juliet@capulet.example/balcony')
  const romeo = await tale.connect('romeo@montague.example/orchard')

  assert(!(await items(benvolio)).includes('tactus#bus-status'))
  assert.deepEqual(await items(benvolio, 'capulet.example'), await items(romeo, 'capulet.example'))
  const begun = await command(benvolio, 'tactus#user-role')
  const session = sessionOf(begun)
  refused(
    await command(benvolio, 'tactus#user-role', {
      session,
      fields: { jid: juliet.account, role: 'admin' },
    }),
    'forbidden',
  )
  const done = await command(benvolio, 'tactus#user-role', {
    session,
    fields: { jid: romeo.account, role: 'admin' },
  })
  assert.equal(statusOf(done), 'completed')
  assert((await items(romeo)).includes('tactus#user-delete'))
  // The list of accounts is that of the host, whatever else is asked for.
  const list = await command(benvolio, 'tactus#user-list')
  const users = await command(benvolio, 'tactus#user-list', {
    session: sessionOf(list),
    fields: { host: 'capulet.example' },
  })
  const table = formOf(users)
  assert.deepEqual(
    table
      .getChild('reported')
      ?.getChildren('field')
      .map(({ attrs }) => `${attrs.var} ${attrs.type}`),
    ['jid jid-single', 'disabled text-single', 'role text-single', 'createdAt text-single'],
  )
  const rows = table.getChildren('item').map((item) =>
    item
      .getChildren('field')
      .find(({ attrs }) => attrs.var === 'jid')
      ?.getChild('value')
      ?.text(),
  )
  assert(rows.includes(romeo.account) && !rows.includes(juliet.account), String(rows))
})

story(
  'SECURITY: who administers a host lays no hand on who administers the cluster',
  { config: { admins: ['escalus@montague.example'] } },
  async (tale) => {
    const benvolio = await admin(tale)
    const escalus = await tale.connect('escalus@montague.example/throne')
    const { session, fields } = {
      session: sessionOf(await command(benvolio, 'tactus#user-passwd')),
      fields: { jid: escalus.account, password: 'a plague on both' },
    }

    refused(await command(benvolio, 'tactus#user-passwd', { session, fields }), 'forbidden')

    assert((await items(escalus, 'capulet.example')).includes('tactus#bus-status'))
    assert.equal(statusOf(await command(escalus, 'tactus#bus-status')), 'completed')
  },
)

story(
  'XEP-0050 §2.4, XEP-0004: a form, made from what the command takes, and its mistakes',
  async (tale) => {
    const benvolio = await admin(tale)

    const begun = await command(benvolio, 'tactus#user-add')
    assert.equal(statusOf(begun), 'executing')
    assert.deepEqual(actionsOf(begun), ['execute=complete', 'complete'])
    const form = formOf(begun)
    assert.equal(form.attrs.type, 'form')
    assert.deepEqual(
      form.getChildren('field').map(({ attrs }) => `${attrs.var} ${attrs.type}`),
      ['jid jid-single', 'password text-private'],
    )
    assert.equal(form.getChildren('field').filter((field) => field.getChild('required')).length, 2)

    const session = sessionOf(begun)
    const say = (fields: Said['fields'], more: Said = {}) =>
      command(benvolio, 'tactus#user-add', { session, ...(fields && { fields }), ...more })
    const problem = async (fields: Said['fields']) =>
      refused(await say(fields), 'bad-request', 'bad-payload')
    assert.equal(await problem(undefined), 'Required and missing: jid, password.')
    assert.equal(
      await problem({ jid: 'sampson@montague.example', password: '' }),
      'Required and missing: password.',
    )
    assert.equal(
      await problem({ jid: '@', password: 'x' }),
      'The value of jid is invalid: one JID is expected.',
    )
    assert.match(
      (await problem({ jid: 'montague.example', password: 'x' })) ?? '',
      /^jid: is no address of an account/,
    )
    assert.equal(
      await problem({ jid: 'sampson@montague.example', password: 'x'.repeat(1_100) }),
      'The value of password is invalid: one line of at most 1023 characters is expected.',
    )
    refused(
      await say({ jid: 'a@b', password: 'x' }, { type: 'form' }),
      'bad-request',
      'bad-payload',
    )
    // XEP-0133 §5: in conflict with what is there; the form may be sent again.
    assert.match(
      refused(await say({ jid: benvolio.account, password: 'x' }), 'conflict') ?? '',
      /exists already/,
    )
    // Clients find what they were doing by the session id in the error.
    const refusal = await say({ jid: benvolio.account, password: 'x' })
    assert.equal(refusal.getChild('command', NS)?.attrs.sessionid, session)
    // XEP-0050 §3.5.1: `cancel` in the form means `submit`.
    const done = await say({ jid: 'sampson@montague.example', password: 'x' }, { type: 'cancel' })
    assert.equal(statusOf(done), 'completed')
    assert.equal(sessionOf(done), session)
    assert.equal(
      ((await tale.command('user show', { jid: 'sampson@montague.example' })) as { role: string })
        .role,
      'user',
    )
    refused(
      await say({ jid: 'sampson@montague.example', password: 'x' }),
      'not-allowed',
      'session-expired',
    )
  },
)

story('XEP-0050 §2.4.2, §2.4.3: stages forth and back, and leaving off', async (tale) => {
  const benvolio = await admin(tale)
  const romeo = await tale.connect('romeo@montague.example/orchard')
  const node = 'tactus#user-delete'
  const first = await command(benvolio, node)
  const session = sessionOf(first)
  assert.deepEqual(actionsOf(first), ['execute=next', 'next'])

  refused(
    await command(benvolio, node, { session, action: 'complete' }),
    'bad-request',
    'bad-action',
  )
  refused(await command(benvolio, node, { session, action: 'prev' }), 'bad-request', 'bad-action')
  const sure = await command(benvolio, node, {
    session,
    action: 'next',
    fields: { jid: romeo.account },
  })
  assert.equal(statusOf(sure), 'executing')
  assert.deepEqual(actionsOf(sure), ['execute=complete', 'prev', 'complete'])
  assert.match(
    String(formOf(sure)),
    /<field type='fixed'><value>jid: romeo@montague\.example<\/value>/,
  )
  const back = await command(benvolio, node, { session, action: 'prev' })
  assert.deepEqual(valuesOf(formOf(back), 'jid'), [romeo.account])
  await command(benvolio, node, { session, fields: { jid: romeo.account } })
  const canceled = await command(benvolio, node, { session, action: 'cancel' })
  assert.equal(statusOf(canceled), 'canceled')
  refused(
    await command(benvolio, node, { session, action: 'complete' }),
    'not-allowed',
    'session-expired',
  )
  assert.equal(romeo.ended(), undefined)

  const again = sessionOf(await command(benvolio, node))
  await command(benvolio, node, { session: again, fields: { jid: romeo.account } })
  assert.equal(
    statusOf(await command(benvolio, node, { session: again, action: 'complete' })),
    'completed',
  )
  assert.equal(romeo.ended(), 'not-authorized')
})

story(
  'XEP-0050 §3.3, §4.4: a session id that was not given to this resource is worth nothing',
  async (tale) => {
    const benvolio = await admin(tale)
    const phone = await tale.connect('benvolio@montague.example/phone')
    const other = await admin(tale, 'abraham@montague.example/street')
    const session = sessionOf(await command(benvolio, 'tactus#user-role'))

    refused(await command(phone, 'tactus#user-role', { session }), 'bad-request', 'bad-sessionid')
    refused(await command(other, 'tactus#user-role', { session }), 'not-allowed', 'session-expired')
    refused(
      await command(benvolio, 'tactus#user-passwd', { session }),
      'bad-request',
      'bad-sessionid',
    )
    refused(
      await command(benvolio, 'tactus#user-role', { session: 'x' }),
      'bad-request',
      'bad-sessionid',
    )
    refused(
      await command(benvolio, 'tactus#user-role', { action: 'complete' }),
      'bad-request',
      'bad-action',
    )
    refused(
      await command(benvolio, 'tactus#user-role', { action: 'destroy' }),
      'bad-request',
      'malformed-action',
    )
    // Who comes back under the same name has begun nothing.
    await benvolio.close()
    const returned = await tale.connect(benvolioHall)
    refused(
      await command(returned, 'tactus#user-role', { session }),
      'not-allowed',
      'session-expired',
    )
  },
)

story(
  'commands that are begun and left alone are bounded in number and time',
  { modules: { adhoc: { sessions: 2, lifetime: 60_000 } } },
  async (tale) => {
    const benvolio = await admin(tale)
    const node = 'tactus#user-role'
    const begin = async () => sessionOf(await command(benvolio, node))
    const [one, two, three] = [await begin(), await begin(), await begin()]

    refused(await command(benvolio, node, { session: one }), 'not-allowed', 'session-expired')
    refused(await command(benvolio, node, { session: two }), 'bad-request', 'bad-payload')
    await tale.pass(61_000)
    refused(await command(benvolio, node, { session: three }), 'not-allowed', 'session-expired')
  },
)
