import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Realm } from './realm.ts'

const limit = { timeout: 90_000 }

interface Shown {
  readonly hosts: readonly { readonly host: string; readonly speaks: boolean }[]
  readonly streams: readonly { readonly direction: string; readonly state: string }[]
  readonly targets: readonly { readonly host: string; readonly addresses: readonly string[] }[]
}

test('a domain is shown, looked up, banned and let in again by commands', limit, async () => {
  await using realm = await Realm.of({ domain: 'verona.lit' }, { domain: 'mantua.lit' })
  const server = realm.server('verona.lit')
  const juliet = await realm.login('juliet@verona.lit/balcony')
  const romeo = await realm.login('romeo@mantua.lit/exile')
  const say = (id: string): void =>
    juliet.say(`<message to='${romeo.jid}' id='${id}' type='chat'><body>${id}</body></message>`)
  say('before')
  await romeo.hears('<body>before')

  const domain = 'mantua.lit'
  const shown = (await server.command('s2s show', { domain })) as Shown
  assert.deepEqual(shown.hosts, [{ host: 'verona.lit', speaks: true, banned: false }])
  assert.deepEqual(
    shown.streams.map(({ direction, state }) => [direction, state]),
    [['out', 'open']],
  )
  assert.deepEqual(shown.targets[0]?.addresses, ['127.0.0.1'])
  const nowhere = JSON.stringify(await server.command('s2s lookup', { domain: 'nowhere.lit' }))
  assert.match(nowhere, /"problem":"the DNS knows no address"/)
  const { closed } = (await server.command('s2s close', { domain })) as {
    readonly closed: readonly { readonly local: string; readonly direction: string }[]
  }
  assert.deepEqual(
    closed.map(({ local, direction }) => [local, direction]),
    [['verona.lit', 'out']],
  )
  say('after')
  await romeo.hears('<body>after')

  const host = 'verona.lit'
  await assert.rejects(
    server.command('s2s block', { domain: 'rooms.verona.lit', host }),
    /no other server/,
  )
  await server.command('s2s block', { domain, host, hours: 1, reason: 'a feud' })
  const { domains } = (await server.command('s2s blocked', {})) as {
    readonly domains: readonly { readonly domain: string; readonly reason: string }[]
  }
  assert.deepEqual(
    domains.map((one) => [one.domain, one.reason]),
    [[domain, 'a feud']],
  )
  // Routers and connection managers learn of it within seconds.
  const isRefused = async (id: string): Promise<boolean> => {
    say(id)
    const answer = await Promise.race([
      romeo.hears(`<body>${id}<`),
      juliet.hears(`id='${id}'`, "type='error'"),
    ])
    return answer.includes('<not-allowed')
  }
  for (let n = 0; !(await isRefused(`b${n}`)); n += 1) await tick()
  const isKeptOut = async (id: string): Promise<boolean> => {
    romeo.say(`<message to='${juliet.jid}' id='${id}' type='chat'><body>${id}</body></message>`)
    const answer = await Promise.race([
      juliet.hears(`<body>${id}<`),
      romeo.hears(`id='${id}'`, "type='error'"),
    ])
    return answer.includes("type='error'")
  }
  for (let n = 0; !(await isKeptOut(`k${n}`)); n += 1) await tick()
  const banned = (await server.command('s2s show', { domain })) as Shown
  assert.deepEqual(banned.hosts, [{ host, speaks: false, banned: true }])

  await server.command('s2s unblock', { domain, host })
  for (let n = 0; await isRefused(`u${n}`); n += 1) await tick()
})

/** A moment between two questions, so that asking is all the waiting there is. */
const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100))
