import assert from 'node:assert/strict'
import { test } from 'node:test'
import { feedIn } from '../src/http/atom-door.ts'
import { host, type Scene, scene } from './support/scene.ts'

const blog = `/atom/juliet@${host}/urn%3Axmpp%3Amicroblog%3A0`
const modified = Date.UTC(2008, 4, 8, 18, 30, 2, 500)

interface Asked {
  readonly address: string
  readonly node: string
  readonly url: string
  readonly max: number
  readonly after?: string
  readonly known?: string
}

/** A server whose routers know one feed; `asked` is what they were asked. */
async function feedScene(http: Record<string, unknown> = { atom: '/atom' }) {
  const stage = await scene({ config: { http } })
  const asked: Asked[] = []
  stage.owner.reads.set('pubsub feed', (input) => {
    const query = input as Asked
    asked.push(query)
    if (query.address !== `juliet@${host}`) return { version: null, modified: 0, document: null }
    return { version: 'v1', modified, document: query.known === 'v1' ? null : '<feed/>\n' }
  })
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`http://127.0.0.1:${portOf(stage)}${path}`, { headers, method })
  return {
    ask,
    asked,
    port: portOf(stage),
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  }
}
const portOf = (stage: Scene): number => stage.manager.ports.http[0]?.port ?? 0

test('RFC 4287: a feed is shown, as no page of ours', async () => {
  await using stage = await feedScene()

  const answer = await stage.ask(`${blog}?after=b%26`)

  assert.equal(answer.status, 200)
  assert.equal(await answer.text(), '<feed/>\n')
  const headers = Object.fromEntries(answer.headers)
  assert.equal(headers['content-type'], 'application/atom+xml; charset=utf-8')
  assert.equal(headers['content-security-policy'], "default-src 'none'; sandbox")
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers.etag, '"v1"')
  assert.equal(headers['last-modified'], 'Thu, 08 May 2008 18:30:02 GMT')
  const [{ address, node, after, url, max } = assert.fail()] = stage.asked
  assert.deepEqual(
    { address, node, after, url, max },
    {
      address: `juliet@${host}`,
      node: 'urn:xmpp:microblog:0',
      after: 'b&',
      url: `http://127.0.0.1:${stage.port}${blog}`,
      max: 50,
    },
  )
  const head = await stage.ask(blog, {}, 'HEAD')
  assert.deepEqual([head.status, await head.text()], [200, ''])
  assert.equal((await stage.ask(blog, {}, 'POST')).status, 405)
})

test('RFC 9110 §13.1: who has a feed already gets none', async () => {
  await using stage = await feedScene()
  const statusWith = async (headers: Record<string, string>) =>
    (await stage.ask(blog, headers)).status

  assert.equal(await statusWith({ 'If-None-Match': 'W/"v1"' }), 304)
  assert.equal(await statusWith({ 'If-None-Match': '"v0"' }), 200)
  assert.equal(await statusWith({ 'If-Modified-Since': 'Thu, 08 May 2008 18:30:02 GMT' }), 304)
  assert.equal(await statusWith({ 'If-Modified-Since': 'Thu, 08 May 2008 18:30:01 GMT' }), 200)
  assert.equal(await statusWith({ 'If-Modified-Since': 'yesterday' }), 200)
  // §13.1.3: the tag counts.
  const both = { 'If-None-Match': '"v0"', 'If-Modified-Since': 'Thu, 08 May 2008 18:30:02 GMT' }
  assert.equal(await statusWith(both), 200)
})

test('there are no feeds where nobody asked for them, and none of what is none', async () => {
  await using silent = await feedScene({})
  assert.equal((await silent.ask(blog)).status, 404)
  await using stage = await feedScene({ atom: '/atom/', atomEntries: 5, url: 'https://{host}/' })
  const refused = [
    `/atom/romeo@${host}/blog`,
    '/atom/',
    '/atom',
    `/atom/juliet@${host}`,
    `/atom/juliet@${host}/a/b`,
    '/atom/%zz/blog',
  ]
  for (const path of refused) assert.equal((await stage.ask(path)).status, 404, path)
  assert.equal((await stage.ask(blog)).status, 200)
  assert.deepEqual([silent.asked.length, stage.asked.length], [0, 2])
  assert.deepEqual(
    [stage.asked[1]?.max, stage.asked[1]?.url],
    [5, `https://127.0.0.1:${stage.port}${blog}`],
  )
})

test('a path names an account or a service, and a node', () => {
  assert.deepEqual(feedIn('pubsub.a.example/a%2Fb', 'after=x'), {
    address: 'pubsub.a.example',
    node: 'a/b',
    after: 'x',
  })
  assert.equal(feedIn('pubsub.a.example/', ''), undefined)
})
