import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canOwnServices, ownPostgres, ownRedis, TestServer } from '@tactus/testkit'
import { Speaker } from '../federation/realm.ts'
import { Player } from './company.ts'
import { biboumi, echo } from './programs.ts'

const secret = 'the secret of the players'
const plays = 'plays.verona.lit'
const echoes = 'echo.verona.lit'
const irc = 'irc.verona.lit'
const names = ['juliet', 'nurse', 'tybalt', 'paris', 'benvolio', 'rosaline']
const total = 300

interface Listed {
  readonly components: readonly {
    readonly domain: string
    readonly queued: number
    readonly connections: readonly { readonly instance: string }[]
  }[]
}

interface Heard {
  readonly by: Player
  readonly name: string
  readonly number: number
}

/** What a component's connections hear, in the order in which it came. */
class Audience {
  readonly heard: Heard[] = []
  #wake: () => void = () => {}

  async listen(player: Player): Promise<void> {
    for (;;) {
      const text = await player.hears('</message>').catch(() => undefined)
      if (text === undefined) return
      const [, name = '', number = ''] =
        /from='(\w+)@.*<body>n(\d+)\.<\/body>/s.exec(text) ?? assert.fail(text)
      this.heard.push({ by: player, name, number: Number(number) })
      this.#wake()
    }
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo())
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
  }

  has(name: string, number: number): boolean {
    return this.heard.some((one) => one.name === name && one.number === number)
  }
}

test('XEP-0114: two connections at two managers share the load, and when one manager is killed the other goes on', {
  timeout: 240_000,
}, async (context) => {
  if (!canOwnServices(context)) return
  await using redis = await ownRedis()
  await using postgres = await ownPostgres()
  await using cluster = await TestServer.cluster(
    { redis, postgres },
    {
      hosts: { 'verona.lit': { federation: { policy: 'off' } } },
      components: { [plays]: { secret }, [echoes]: { secret }, [irc]: { secret } },
      limits: { rates: 'off', sendQueue: { stanzas: 10_000, bytes: '16MiB' } },
    },
  )
  const speakers = await Promise.all(
    names.map(async (name) => {
      await cluster.addUser(`${name}@verona.lit`, 'secret')
      // All are at the second manager, which stays.
      return new Speaker(await cluster.login(`${name}@verona.lit/x`, 'secret', 1))
    }),
  )
  const [first, second] = await Promise.all([
    Player.enter(cluster.port('component', 0), plays, secret),
    Player.enter(cluster.port('component', 1), plays, secret),
  ])
  const places = [0, 1].map((door) => ({
    domain: echoes,
    secret,
    port: cluster.port('component', door),
  }))
  await using answers = new AsyncDisposableStack()
  for (const [index, place] of places.entries())
    await answers.use(echo(`echo ${index}`, place)).expect('started')
  using _gateway = biboumi({ domain: irc, secret, port: cluster.port('component', 1) })
  const audience = new Audience()
  void audience.listen(first)
  void audience.listen(second)
  let said = 0
  const sayAll = async (): Promise<void> => {
    for (const speaker of speakers)
      speaker.say(`<message to='a@${plays}' type='chat'><body>n${said}.</body></message>`)
    said += 1
  }
  const isHeard = (): boolean => names.every((name) => audience.has(name, said - 1))
  const hears = (player: Player): boolean => audience.heard.some(({ by }) => by === player)

  // The shards are dealt out anew as each connection comes.
  do {
    await sayAll()
    await audience.until(isHeard)
  } while (!(hears(first) && hears(second)))
  const before = said

  const { components } = (await cluster.command('component list', {})) as Listed
  assert.equal(new Set(components[0]?.connections.map(({ instance }) => instance)).size, 2)
  const [juliet = assert.fail()] = speakers
  const tell = (from: number, to: number): void => {
    for (let number = from; number < to; number += 1)
      second.say(
        `<message from='a@${plays}' to='${juliet.jid}' type='chat'><body>n${number}.</body></message>`,
      )
  }
  while (said < before + total / 2) await sayAll()
  tell(0, total)
  await audience.until(() =>
    audience.heard.some(({ by, number }) => by === first && number > before),
  )
  await cluster.doors[0]?.process.kill()
  while (said < before + total) await sayAll()
  tell(total, 2 * total)

  await audience.until(isHeard)
  for (const name of names) {
    const numbers = audience.heard.filter((one) => one.name === name).map(({ number }) => number)
    assert.deepEqual(
      [...new Set(numbers)],
      Array.from({ length: said }, (_, number) => number),
      `what ${name} said is there, each for the first time in its place`,
    )
    context.diagnostic(`${numbers.length - said} of ${said} of ${name} came twice`)
  }
  await juliet.hears(`<body>n${2 * total - 1}.`)
  assert.deepEqual(
    juliet.heard.flatMap((text) => /<body>n(\d+)\./.exec(text)?.[1] ?? []).map(Number),
    Array.from({ length: 2 * total }, (_, number) => number),
    'what the component said came once and in order',
  )
  // A component that is made with slixmpp: whoever was answered by the first is answered by the second now.
  for (const [index, speaker] of speakers.entries()) {
    speaker.say(`<message to='x@${echoes}' type='chat'><body>${names[index]}</body></message>`)
    await speaker.hears(`echo 1 heard ${names[index]}`)
  }
  // Debian's gateway, whose shards the dead manager may have held before it came.
  juliet.say(
    `<iq to='${irc}' id='gate' type='set'><command xmlns='http://jabber.org/protocol/commands' node='ping' action='execute'/></iq>`,
  )
  await juliet.hears("id='gate'", "status='completed'")
  second.drop()
})
