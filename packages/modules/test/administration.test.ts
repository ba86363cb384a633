import assert from 'node:assert/strict'
import { type Client, type Story, story } from '@tactus/testkit'
import type { XmlElement } from '@tactus/xml'
import {
  admin,
  command,
  commandOf,
  formOf,
  host,
  items,
  refused,
  type Said,
  sessionOf,
  statusOf,
  valuesOf,
} from './adhoc/commands.ts'

const NS_ADMIN = 'http://jabber.org/protocol/admin'
const node = (name: string) => `${NS_ADMIN}#${name}`

/** Asks for the form, submits it, and answers what came of that. */
async function administer(client: Client, name: string, fields: Said['fields'] = {}) {
  const begun = await command(client, node(name))
  assert.equal(statusOf(begun), 'executing', begun.toString())
  assert.deepEqual(valuesOf(formOf(begun), 'FORM_TYPE'), [NS_ADMIN])
  return await command(client, node(name), {
    session: sessionOf(begun),
    fields: { FORM_TYPE: NS_ADMIN, ...fields },
  })
}

async function number(client: Client, name: string, field: string): Promise<number> {
  const answer = await command(client, node(name))
  assert.equal(statusOf(answer), 'completed')
  return Number(valuesOf(formOf(answer), field)[0])
}

const notesOf = (iq: XmlElement): readonly string[] =>
  commandOf(iq)
    .getChildren('note')
    .map((note) => `${note.attrs.type} ${note.text()}`)

const sampson = { jid: 'sampson@montague.example', password: 'I bite my thumb' }
const added = (more: object = {}) => ({
  accountjid: sampson.jid,
  password: sampson.password,
  'password-verify': sampson.password,
  ...more,
})

/** Accounts that others left on the host are nobody's business here. */
async function fresh({ command: run }: Story, jid: string): Promise<string> {
  await run('user delete', { jid }).catch(() => {})
  return jid
}

story('XEP-0133 §3: an ordinary account sees none of it', async ({ connect }) => {
  const romeo = await connect('romeo@montague.example/orchard')

  assert.deepEqual(
    (await items(romeo)).filter((name) => name.startsWith(NS_ADMIN)),
    [],
  )
  refused(await command(romeo, node('add-user')), 'forbidden')
})

story('XEP-0133 §5: a command that is not offered is not implemented', async (tale) => {
  const benvolio = await admin(tale)

  for (const name of ['restart', 'shutdown', 'edit-blacklist'])
    refused(await command(benvolio, node(name)), 'feature-not-implemented')
})

story('XEP-0133 §4.1, §4.2: add and delete a user', async (tale) => {
  const benvolio = await admin(tale)
  await fresh(tale, sampson.jid)

  const typo = await administer(benvolio, 'add-user', added({ 'password-verify': 'thumb' }))
  assert.equal(
    refused(typo, 'bad-request', 'bad-payload'),
    'The value of password-verify is invalid: the same as password is expected.',
  )
  assert.equal(
    statusOf(await administer(benvolio, 'add-user', added({ email: 's@m.example' }))),
    'completed',
  )
  refused(await administer(benvolio, 'add-user', added()), 'conflict')

  const gone = await administer(benvolio, 'delete-user', {
    accountjids: [sampson.jid, 'nobody@montague.example'],
  })
  assert.equal(statusOf(gone), 'completed')
  assert.deepEqual(notesOf(gone), [
    'error nobody@montague.example: there is no account nobody@montague.example',
  ])
  refused(await administer(benvolio, 'delete-user', { accountjids: sampson.jid }), 'item-not-found')
})

story(
  'XEP-0133 §4.3, §4.4: who is disabled is put out and kept out, and keeps everything',
  async (tale) => {
    const benvolio = await admin(tale)
    const romeo = await tale.online('romeo@montague.example/orchard')
    const juliet = await tale.online('juliet@montague.example/balcony')
    await tale.befriend(romeo, juliet)

    const done = await administer(benvolio, 'disable-user', { accountjids: romeo.account })
    assert.equal(statusOf(done), 'completed')
    assert.equal(romeo.ended(), 'not-authorized')
    // RFC 6120 §6.5.1: the right password is answered with `account-disabled`.
    await assert.rejects(tale.connect(romeo.jid), /account-disabled|not-authorized/)
    const disabled = await administer(benvolio, 'get-disabled-users-list')
    assert.deepEqual(valuesOf(formOf(disabled), 'disableduserjids'), [romeo.account])
    assert.equal(await number(benvolio, 'get-disabled-users-num', 'disabledusersnum'), 1)

    await administer(benvolio, 'reenable-user', { accountjids: romeo.account })
    const back = await tale.connect(romeo.jid)
    await back.send`<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>`
    assert(String(await back.hears('r')).includes(juliet.account))
  },
)

story('XEP-0133 §4.5: of an account all sessions end, of a full JID that one', async (tale) => {
  const benvolio = await admin(tale)
  const one = await tale.connect('romeo@montague.example/one')
  const two = await tale.connect('romeo@montague.example/two')
  const three = await tale.connect('romeo@montague.example/three')

  await administer(benvolio, 'end-user-session', { accountjids: one.jid })
  assert.deepEqual([one.ended(), two.ended()], ['policy-violation', undefined])
  await administer(benvolio, 'end-user-session', { accountjids: two.account })
  assert.deepEqual([two.ended(), three.ended()], ['policy-violation', 'policy-violation'])
})

story('XEP-0133 §4.7: another password, and the old sessions are over', async (tale) => {
  const benvolio = await admin(tale)
  const romeo = await tale.connect('romeo@montague.example/orchard')

  const fields = { accountjid: romeo.account, password: 'that which we call a rose' }
  const done = await administer(benvolio, 'change-user-password', fields)

  assert.equal(statusOf(done), 'completed')
  assert(!String(done).includes('rose'))
  assert.equal(romeo.ended(), 'reset')
})

story('XEP-0133 §4.8 to §4.10: roster, last login, statistics', async (tale) => {
  const benvolio = await admin(tale)
  const romeo = await tale.online('romeo@montague.example/orchard')
  const juliet = await tale.online('juliet@montague.example/balcony')
  await tale.befriend(romeo, juliet)

  const roster = formOf(
    await administer(benvolio, 'get-user-roster', { accountjids: romeo.account }),
  )
  assert.deepEqual(valuesOf(roster, 'accountjids'), [romeo.account])
  const [item] = roster.getChild('query', 'jabber:iq:roster')?.getChildren('item') ?? []
  assert.deepEqual([item?.attrs.jid, item?.attrs.subscription], [juliet.account, 'both'])

  const last = formOf(
    await administer(benvolio, 'get-user-lastlogin', { accountjids: romeo.account }),
  )
  assert.match(valuesOf(last, 'lastlogin')[0] ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)

  const stats = formOf(await administer(benvolio, 'user-stats', { accountjid: romeo.account }))
  assert.deepEqual(valuesOf(stats, 'rostersize'), ['1'])
  assert.deepEqual(valuesOf(stats, 'onlineresources'), ['orchard'])
  refused(
    await administer(benvolio, 'user-stats', { accountjid: 'nobody@montague.example' }),
    'item-not-found',
  )
})

story('XEP-0133 §4.13 to §4.22: how many there are, and who, in pages', async (tale) => {
  const benvolio = await admin(tale)
  const phone = await tale.connect('abraham@montague.example/phone')
  const pocket = await tale.connect('balthasar@montague.example/pocket')
  await pocket.send`<inactive xmlns='urn:xmpp:csi:0'/>`
  const list = async (name: string, field: string, fields: Said['fields'] = {}) => {
    const answer = await administer(benvolio, name, { max_items: 'none', ...fields })
    return valuesOf(formOf(answer), field)
  }

  const registered = await number(benvolio, 'get-registered-users-num', 'registeredusersnum')
  const all = await list('get-registered-users-list', 'registereduserjids')
  assert.equal(all.length, registered)
  assert(all.includes(phone.account) && all.includes(benvolio.account))
  assert.deepEqual(
    await list('get-registered-users-list', 'registereduserjids', { after: phone.account }),
    all.slice(all.indexOf(phone.account) + 1),
  )
  const online = await list('get-online-users-list', 'onlineuserjids')
  assert(online.includes(phone.account) && online.includes(benvolio.account))
  assert.equal(await number(benvolio, 'get-online-users-num', 'onlineusersnum'), online.length)
  const active = await list('get-active-users', 'activeuserjids')
  assert(active.includes(phone.account) && !active.includes(pocket.account))
  const idle = await list('get-idle-users', 'activeuserjids')
  assert(idle.includes(pocket.account))
  assert.deepEqual([...active, ...idle].toSorted(), online.toSorted())
  assert.equal(await number(benvolio, 'get-active-users-num', 'activeusersnum'), active.length)
  assert.equal(await number(benvolio, 'get-idle-users-num', 'idleusersnum'), idle.length)
  assert.equal(
    refused(
      await administer(benvolio, 'get-idle-users', { max_items: '7' }),
      'bad-request',
      'bad-payload',
    ),
    'The value of max_items is invalid: one of 25, 50, 75, 100, 150, 200, none is expected.',
  )
})

story('XEP-0133 §4.29: the administrators of a host', async (tale) => {
  const benvolio = await admin(tale)
  const romeo = await tale.connect('romeo@montague.example/orchard')
  const begun = await command(benvolio, node('edit-admin'))
  const before = valuesOf(formOf(begun), 'adminjids')
  assert(before.includes(benvolio.account) && !before.includes(romeo.account))

  const fields = { adminjids: [...before, romeo.account] }
  await command(benvolio, node('edit-admin'), { session: sessionOf(begun), fields })
  assert((await items(romeo)).includes(node('add-user')))

  // The last one out gives it back, and still hears that it is done.
  const again = sessionOf(await command(romeo, node('edit-admin')))
  const without = { adminjids: [...before] }
  assert.equal(
    statusOf(await command(romeo, node('edit-admin'), { session: again, fields: without })),
    'completed',
  )
  refused(await command(romeo, node('edit-admin')), 'forbidden')
})

story('the administrator of one host reaches no account of another', async (tale) => {
  const benvolio = await admin(tale)
  const juliet = await tale.connect('juliet@capulet.example/balcony')

  for (const name of ['delete-user', 'disable-user', 'end-user-session', 'get-user-roster'])
    refused(await administer(benvolio, name, { accountjids: juliet.account }), 'forbidden')
  refused(await command(benvolio, node('add-user'), { to: 'capulet.example' }), 'forbidden')
  assert.equal(host, 'montague.example')
  assert.equal(juliet.ended(), undefined)
})
