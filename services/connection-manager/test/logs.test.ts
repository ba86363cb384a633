import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { pageIn } from '../src/http/log-door.ts'
import { scene } from './support/scene.ts'

const room = 'coven@conference.m.example'
const evil = `<script>alert("1")</script>&'`
const at = Date.UTC(2008, 4, 8, 18, 30, 2)
const shown = { name: `Cave ${evil}`, description: `All ${evil}` }

const answers: Readonly<Record<string, unknown>> = {
  'room-log rooms': { rooms: [{ jid: room, ...shown }], next: `${room}"` },
  'room-log days': { room: shown, days: ['2008-05-08', '2008-05-07'], next: '2008-05-07' },
  'room-log lines': {
    room: shown,
    lines: [
      { id: 'a"1', at, nick: evil, kind: 'says', text: evil, corrects: true },
      { id: 'b', at, nick: 'hag', kind: 'does', text: 'stirs', corrects: false },
      { id: 'c', at, nick: 'hag', kind: 'subject', text: 'Trouble', corrects: false },
    ],
    next: 'c&',
    earlier: '2008-05-07',
    later: null,
  },
}

/** A server whose routers know one log; `asked` is what they were asked. */
async function logScene(http: Record<string, unknown> = { logs: '/logs', logLines: 3 }) {
  const stage = await scene({ config: { http } })
  const asked: [string, Readonly<Record<string, unknown>>][] = []
  for (const [name, answer] of Object.entries(answers))
    stage.owner.reads.set(name, (input) => {
      const query = input as Readonly<Record<string, unknown>>
      asked.push([name, query])
      return query.room === room || query.service === 'conference.m.example' ? answer : null
    })
  const port = stage.manager.ports.http[0]?.port ?? 0
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, init)
  return { ask, asked, [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose]() }
}

test('SECURITY: what people write is text, and a page runs and loads nothing', async () => {
  await using stage = await logScene()
  for (const path of [
    '/logs/conference.m.example',
    `/logs/${room}`,
    `/logs/${room}/2008-05-08`,
    `/logs/${encodeURIComponent(room)}/2008-05-08/`,
  ]) {
    const answer = await stage.ask(path)
    const page = await answer.text()
    assert.equal(answer.status, 200, path)
    assert.match(page, /&lt;script&gt;alert\(&quot;1&quot;\)&lt;\/script&gt;&amp;&#39;/)
    assert.doesNotMatch(page, /<script|alert\("/)
    // No attribute ends before its quote.
    assert.doesNotMatch(page, /="[^"<>]*[<>]/)
    const headers = Object.fromEntries(answer.headers)
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['referrer-policy'], 'no-referrer')
    const policy = headers['content-security-policy'] ?? ''
    assert.match(policy, /^default-src 'none'; .*frame-ancestors 'none'/)
    const style = /<style>([^<]*)<\/style>/.exec(page)?.[1] ?? assert.fail()
    assert(policy.includes(`'sha256-${createHash('sha256').update(style).digest('base64')}'`))
  }
})

test('pages name what is before and behind them', async () => {
  await using stage = await logScene()
  const here = `/logs/${encodeURIComponent(room)}`
  const hrefs = async (path: string) =>
    Array.from((await (await stage.ask(path)).text()).matchAll(/href="([^"]*)"/g), ([, to]) => to)

  assert.deepEqual(await hrefs('/logs/conference.m.example?after=x'), [
    here,
    `/logs/conference.m.example?after=${encodeURIComponent(`${room}"`)}`,
  ])
  assert.deepEqual(await hrefs(`/logs/${room}?before=2008-06-01`), [
    `${here}/2008-05-08`,
    `${here}/2008-05-07`,
    `${here}?before=2008-05-07`,
  ])
  const ways = [`${here}/2008-05-07`, here]
  assert.deepEqual(await hrefs(`/logs/${room}/2008-05-08?after=a%26`), [
    ...ways,
    ...['#a%221', '#b', '#c'],
    `${here}/2008-05-08?after=c%26`,
    ...ways,
  ])
  assert.deepEqual(stage.asked, [
    ['room-log rooms', { service: 'conference.m.example', after: 'x', max: 3 }],
    ['room-log days', { room, before: '2008-06-01' }],
    ['room-log lines', { room, day: '2008-05-08', after: 'a&', max: 3 }],
  ])
})

test('RFC 9110 §13.1.2: who has a page already gets none', async () => {
  await using stage = await logScene()
  const first = await stage.ask(`/logs/${room}`)
  const tag = first.headers.get('etag') ?? ''
  const again = await stage.ask(`/logs/${room}`, { headers: { 'If-None-Match': `W/${tag}` } })
  assert.deepEqual([again.status, await again.text()], [304, ''])
  const other = await stage.ask(`/logs/${room}`, { headers: { 'If-None-Match': '"x"' } })
  assert.equal(other.status, 200)
  const head = await stage.ask(`/logs/${room}`, { method: 'HEAD' })
  assert.deepEqual([head.status, await head.text()], [200, ''])
  assert.equal((await stage.ask(`/logs/${room}`, { method: 'POST' })).status, 405)
})

test('there are no logs where nobody asked for them, and none of what is none', async () => {
  await using silent = await logScene({})
  assert.equal((await silent.ask(`/logs/${room}`)).status, 404)
  await using stage = await logScene({ logs: '/logs/' })
  const refused = [
    '/logs/other@conference.m.example',
    '/logs/',
    '/logs',
    '/logs/conference.m.example/2008-05-08',
    `/logs/${room}/2008-05-08/x`,
    `/logs/${room}//`,
    '/logs/%zz',
  ]
  for (const path of refused) assert.equal((await stage.ask(path)).status, 404, path)
  assert.equal(silent.asked.length, 0)
  assert.equal((await stage.ask(`/logs/${room}/`)).status, 200)
})

test('what is asked with is bounded', () => {
  assert.equal(pageIn(room, `after=${'x'.repeat(1_000)}`)?.after?.length, 256)
  assert.equal(pageIn('', ''), undefined)
})
