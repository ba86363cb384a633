import assert from 'node:assert/strict'
import { type Client, type Story, story } from '@tactus/testkit'
import {
  admin,
  command,
  formOf,
  items,
  refused,
  sessionOf,
  statusOf,
  valuesOf,
} from './adhoc/commands.ts'

const host = 'montague.example'
const [romeoHome, benvolioHall] = ['romeo@montague.example/home', 'benvolio@montague.example/hall']
const node = (name: string) => `http://jabber.org/protocol/admin#${name}`

/** The bodies of all messages that came from the host, oldest first. */
const heard = (client: Client): readonly string[] =>
  client
    .drain()
    .filter(({ name, from }) => name === 'message' && from === host)
    .map((message) => message.child('body', message.ns)?.text() ?? '')

/** Waits until nothing goes round any more, and everybody has what is theirs. */
async function wentRound({ command: run, settle }: Story, of = host): Promise<void> {
  for (;;) {
    await settle()
    const { announcements } = (await run('announce list', { host: of })) as {
      readonly announcements: readonly unknown[]
    }
    if (announcements.length === 0) break
  }
  await settle()
}

story('announce send: to who is online, and to nobody else later', async (tale) => {
  const romeo = await tale.online(romeoHome)
  const benvolio = await tale.connect(benvolioHall)
  const juliet = await tale.online('juliet@capulet.example/balcony')
  romeo.drain()

  await tale.command('announce send', { host, text: 'Ring the bell', subject: 'Citizens' })
  await wentRound(tale)

  romeo.receives`<message type='headline' id='{any}' from='${host}' to='${romeo.account}'><subject>Citizens</subject><body>Ring the bell</body><stanza-id xmlns='urn:xmpp:sid:0' id='{any}' by='${romeo.account}'/></message>`
  await benvolio.send`<presence/>`
  assert.deepEqual([heard(romeo), heard(benvolio), heard(juliet)], [[], [], []])
})

story('announce send --to all: it waits for who is not there', async (tale) => {
  const romeo = await tale.online(romeoHome)
  const benvolio = await tale.connect(benvolioHall)

  await tale.command('announce send', { host, text: 'Down with them', to: 'all' })
  await wentRound(tale)

  assert.deepEqual(heard(romeo), ['Down with them'])
  assert.deepEqual(heard(benvolio), [])
  await benvolio.send`<presence/>`
  assert.deepEqual(heard(benvolio), ['Down with them'])
})

story(
  'announce send: a host of many is told page by page, each account once',
  { modules: { announce: { page: 2, pause: 1_000 } } },
  async (tale) => {
    const clients: Client[] = []
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      clients.push(await tale.online(`${name}@${host}/x`))
    const told = () => clients.map((client) => heard(client).length)

    await tale.command('announce send', { host, text: 'Peace', to: 'all' })
    // The pause keeps the next page back.
    while ((await progress(tale)) === 0) await tale.settle()
    assert.deepEqual(told(), [1, 1, 0, 0, 0])
    // Somebody is impatient: what is noted twice is sent once.
    assert.deepEqual(await tale.command('announce resume', { host }), { host, resumed: 1 })
    while ((await progress(tale)) === 2) await tale.settle()
    assert.deepEqual(told(), [0, 0, 1, 1, 0])
    while ((await progress(tale)) !== undefined) await tale.pass(1_001)
    assert.deepEqual(told(), [0, 0, 0, 0, 1])
    assert.deepEqual(await tale.command('announce list', { host }), { announcements: [] })
  },
)

async function progress({ command: run }: Story): Promise<number | undefined> {
  const { announcements } = (await run('announce list', { host })) as {
    readonly announcements: readonly { readonly sent: number }[]
  }
  return announcements[0]?.sent
}

story(
  'announce stop: who has it keeps it, the others never get it',
  { modules: { announce: { page: 1, pause: 60_000 } } },
  async (tale) => {
    const one = await tale.online(`a@${host}/x`)
    const other = await tale.online(`b@${host}/x`)
    const { id } = (await tale.command('announce send', { host, text: 'x' })) as { id: string }
    while ((await progress(tale)) === 0) await tale.settle()

    await tale.command('announce stop', { host, id })
    await tale.pass(61_000)

    assert.deepEqual([heard(one), heard(other)], [['x'], []])
    await assert.rejects(tale.command('announce stop', { host, id }), { code: 'not-found' })
  },
)

story(
  'XEP-0133 §4.24: the message of the day, once each: now, or after the next log-in',
  async (tale) => {
    const romeo = await tale.online(romeoHome)
    const benvolio = await tale.connect(benvolioHall)
    await tale.command('motd set', { host, text: 'Masks are worn tonight' })
    await wentRound(tale)

    assert.deepEqual(heard(romeo), ['Masks are worn tonight'])
    assert.deepEqual(heard(benvolio), [])
    await benvolio.send`<presence/>`
    await until(tale, benvolio, 'Masks are worn tonight')
    // Not with more presence, another resource or another visit.
    await benvolio.send`<presence><show>away</show></presence>`
    const phone = await tale.connect('benvolio@montague.example/phone')
    await phone.send`<presence/>`
    await benvolio.close()
    const again = await tale.connect(benvolioHall)
    await again.send`<presence/>`
    await tale.settle()
    assert.deepEqual([heard(phone), heard(again), heard(romeo)], [[], [], []])
    await tale.command('motd delete', { host })
  },
)

/** A job brings it: waits until it is there, and is all that is there. */
async function until({ settle }: Story, client: Client, text: string): Promise<void> {
  const all: string[] = []
  while (all.length === 0) {
    await settle()
    all.push(...heard(client))
  }
  assert.deepEqual(all, [text])
}

story('XEP-0133 §4.25, §4.26: corrected for who has not had it, and taken back', async (tale) => {
  const romeo = await tale.online(romeoHome)
  const benvolio = await tale.connect(benvolioHall)
  const mercutio = await tale.connect('mercutio@montague.example/street')
  await assert.rejects(tale.command('motd edit', { host, text: 'x' }), { code: 'not-found' })
  await tale.command('motd set', { host, text: 'Maks are worn' })
  await wentRound(tale)
  assert.deepEqual(heard(romeo), ['Maks are worn'])

  await tale.command('motd edit', { host, text: 'Masks are worn' })
  await benvolio.send`<presence/>`
  await until(tale, benvolio, 'Masks are worn')
  assert.deepEqual(heard(romeo), [])

  await tale.command('motd delete', { host })
  await mercutio.send`<presence/>`
  await tale.settle()
  assert.deepEqual(await tale.command('motd show', { host }), { host })
  await tale.command('motd set', { host, text: 'Swords are left at the door' })
  await wentRound(tale)
  assert.deepEqual(heard(mercutio), ['Swords are left at the door'])
  await tale.command('motd delete', { host })
})

story(
  'XEP-0133 §4.27, §4.28: new accounts are welcomed, and told the message of the day',
  async (tale) => {
    await tale.command('welcome set', { host, text: 'Welcome to Verona' })
    await tale.command('motd set', { host, text: 'Masks are worn' })
    await wentRound(tale)

    const balthasar = await tale.connect('balthasar@montague.example/stable')
    const all: string[] = []
    await balthasar.send`<presence/>`
    while (all.length < 2) {
      await tale.settle()
      all.push(...heard(balthasar))
    }
    assert.deepEqual(all.toSorted(), ['Masks are worn', 'Welcome to Verona'])

    await tale.command('welcome delete', { host })
    await tale.command('motd delete', { host })
    const abraham = await tale.connect('abraham@montague.example/street')
    await abraham.send`<presence/>`
    await tale.settle()
    assert.deepEqual(heard(abraham), [])
  },
)

story(
  'XEP-0133 §4.24: who joins while it goes round is not told twice',
  { modules: { announce: { page: 1, pause: 60_000 } } },
  async (tale) => {
    await tale.online(`a@${host}/x`)
    await tale.command('motd set', { host, text: 'Masks are worn' })
    while ((await progress(tale)) === 0) await tale.settle()

    const zeno = await tale.connect(`zeno@${host}/x`)
    await zeno.send`<presence/>`
    await until(tale, zeno, 'Masks are worn')
    while ((await progress(tale)) !== undefined) await tale.pass(61_000)

    assert.deepEqual(heard(zeno), [])
  },
)

story('SECURITY: nobody says a message of the day but the host', async ({ online }) => {
  const romeo = await online(romeoHome)
  const benvolio = await online(benvolioHall)
  for (const [id, to] of [
    ['own', romeo.account],
    ['other', benvolio.account],
  ] as const) {
    await romeo.send`<iq type='set' id='${id}' to='${to}'><motd xmlns='urn:tactus:announce' id='m'>Fire</motd></iq>`
    refused(await romeo.hears(id), 'service-unavailable')
  }
  assert.deepEqual([heard(romeo), heard(benvolio)], [[], []])
})

story('XEP-0133 §4.23 to §4.28: the same with its nodes and fields', async (tale) => {
  const benvolio = await admin(tale)
  const romeo = await tale.online(romeoHome)
  assert(!(await items(romeo)).some((name) => name.startsWith(node(''))))
  const administer = async (name: string, fields: Readonly<Record<string, string | string[]>>) => {
    const session = sessionOf(await command(benvolio, node(name)))
    assert.equal(statusOf(await command(benvolio, node(name), { session, fields })), 'completed')
    await wentRound(tale)
  }

  await administer('announce', { announcement: ['Ring', 'the bell'] })
  assert.deepEqual(heard(romeo), ['Ring\nthe bell'])
  await administer('set-motd', { motd: 'Maks' })
  assert.deepEqual(heard(romeo), ['Maks'])
  // §4.25: the form includes the current one.
  const edit = await command(benvolio, node('edit-motd'))
  assert.deepEqual(valuesOf(formOf(edit), 'motd'), ['Maks'])
  await administer('edit-motd', { motd: 'Masks' })
  assert.equal(((await tale.command('motd show', { host })) as { text: string }).text, 'Masks')
  assert.equal(statusOf(await command(benvolio, node('delete-motd'))), 'completed')
  assert.deepEqual(await tale.command('motd show', { host }), { host })
  await administer('set-welcome', { welcome: 'Welcome' })
  assert.deepEqual(valuesOf(formOf(await command(benvolio, node('set-welcome'))), 'welcome'), [
    'Welcome',
  ])
  assert.equal(statusOf(await command(benvolio, node('delete-welcome'))), 'completed')
  assert.deepEqual(await tale.command('welcome show', { host }), { host })
  assert.deepEqual(heard(romeo), [])
})
