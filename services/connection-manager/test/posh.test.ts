import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { realEnv } from '@tactus/env'
import { makeSelfSigned } from '../src/certificates/self-made.ts'
import { Posh } from '../src/s2s/posh.ts'
import { isAmong, readPosh, writePosh } from '../src/s2s/posh-document.ts'
import { type Page, readPage } from '../src/s2s/web-page.ts'

const make = (fill: number, now = Date.now()): X509Certificate =>
  new X509Certificate(
    makeSelfSigned('hosting.lit', { now, random: (length) => Buffer.alloc(length, fill) })
      .certificate,
  )
const certificate = make(7)
const other = make(8)

interface Site {
  readonly posh: Posh
  readonly pages: Map<string, Page>
  readonly asked: string[]
  /** Milliseconds. */
  now: number
}

/** A web that has these pages, by their URLs, and a clock that stands still. */
function web(pages: Readonly<Record<string, Partial<Page>>>): Site {
  const env = realEnv()
  const made: Page = { status: 200, location: undefined, text: '' }
  const site: Site = {
    pages: new Map(Object.entries(pages).map(([url, page]) => [url, { ...made, ...page }])),
    asked: [],
    now: 0,
    posh: new Posh({
      env: { ...env, clock: { ...env.clock, monotonic: () => site.now } },
      port: 443,
      read: async (url) => {
        site.asked.push(String(url))
        const page = site.pages.get(String(url))
        if (!page) throw new Error('nobody is there')
        return page
      },
      failed: () => {},
    }),
  }
  return site
}

const verona = 'https://verona.lit/.well-known/posh/xmpp-server.json'
const hosting = 'https://hosting.lit/posh.json'
const naming = (expires: number): string => writePosh(certificate.raw, expires)
const leading = (url: string, expires = 600): string => JSON.stringify({ url, expires })

test('RFC 7711: a document names certificates by digests, of which the strongest counts', () => {
  const document = readPosh(naming(600))
  assert(document.kind === 'fingerprints')
  assert.equal(document.expires, 600)
  assert.equal(isAmong(document.fingerprints, certificate), true)
  assert.equal(isAmong(document.fingerprints, other), false)

  const [right = {}] = document.fingerprints
  assert.equal(isAmong([{ 'sha-256': right['sha-256'] }], certificate), true)
  assert.equal(isAmong([{ ...right, 'sha-512': 'AAAA' }], certificate), false)
  assert.equal(isAmong([{ 'sha-1': 'AAAA' }, {}], certificate), false)
})

test('RFC 7711: what does not say for how long it holds is nothing, nor is what is no document', () => {
  const fingerprints = [{ 'sha-256': 'AAAA' }]
  for (const document of [
    { fingerprints },
    { fingerprints, expires: 0 },
    { fingerprints, expires: '600' },
    { expires: 600 },
    { fingerprints, url: hosting, expires: 600 },
    { fingerprints: 'AAAA', expires: 600 },
    [],
    null,
  ])
    assert.throws(() => readPosh(JSON.stringify(document)), JSON.stringify(document))
  assert.throws(() => readPosh('<html/>'))
})

test('RFC 7711: a web site may leave it to another one, which may not, and not for longer', async () => {
  const site = web({ [verona]: { text: leading(hosting, 60) }, [hosting]: { text: naming(600) } })
  assert.equal(await site.posh.names('verona.lit', certificate), true)
  assert.deepEqual(site.asked, [verona, hosting])
  site.now = 59_999
  await site.posh.names('verona.lit', certificate)
  assert.equal(site.asked.length, 2)
  site.now = 60_001
  await site.posh.names('verona.lit', certificate)
  assert.equal(site.asked.length, 4)

  const chain = web({
    [verona]: { text: leading(hosting) },
    [hosting]: { text: leading('https://hosting.lit/more.json') },
    'https://hosting.lit/more.json': { text: naming(600) },
  })
  assert.equal(await chain.posh.names('verona.lit', certificate), false)
})

test('HTTP redirects are followed, a few of them', async () => {
  const site = web({
    [verona]: { status: 302, location: '/moved.json' },
    'https://verona.lit/moved.json': { status: 308, location: hosting },
    [hosting]: { text: naming(600) },
  })
  assert.equal(await site.posh.names('verona.lit', certificate), true)

  const circle = web({ [verona]: { status: 302, location: verona } })
  assert.equal(await circle.posh.names('verona.lit', certificate), false)
  assert.equal(circle.asked.length, 4)
})

test('RFC 7711: it is believed for a day at most, and asked again once there is another certificate', async () => {
  const site = web({ [verona]: { text: naming(1e9) } })
  await site.posh.names('verona.lit', certificate)
  site.now = 86_400_001
  await site.posh.names('verona.lit', certificate)
  assert.equal(site.asked.length, 2)

  site.pages.set(verona, { status: 200, location: undefined, text: writePosh(other.raw, 1e9) })
  site.now += 1
  assert.equal(await site.posh.names('verona.lit', other), false, 'it was asked a moment ago')
  site.now += 60_000
  assert.equal(await site.posh.names('verona.lit', other), true)
  assert.equal(await site.posh.names('verona.lit', certificate), false)
})

test('who has no document is not asked all the time, and nobody at once for the same', async () => {
  const site = web({})
  const ask = async (): Promise<boolean> => await site.posh.names('verona.lit', certificate)
  assert.deepEqual(await Promise.all([ask(), ask(), ask()]), [false, false, false])
  assert.equal(site.asked.length, 1)
  site.now = 59_000
  await ask()
  assert.equal(site.asked.length, 1)
  site.now = 61_000
  await ask()
  assert.equal(site.asked.length, 2)
})

test('a domain that is no host of a URL has no web site, and a certificate that is over is not named', async () => {
  const site = web({ [verona]: { text: naming(600) } })
  for (const domain of ['verona.lit?', 'x#verona.lit', '%76erona.lit', 'verona.lit\\x'])
    assert.equal(await site.posh.names(domain, certificate), false, domain)
  assert.deepEqual(site.asked, [])
  const old = make(7, Date.now() - 20 * 365 * 86_400_000)
  site.pages.set(verona, { status: 200, location: undefined, text: writePosh(old.raw, 600) })
  assert.equal(await site.posh.names('verona.lit', old), false)
})

test('SSRF: pages are read by HTTPS, of names, and not of private addresses', async () => {
  const read = (url: string) =>
    readPage(new URL(url), {
      resolver: { addresses: async () => ['127.0.0.1', '10.0.0.1', '::1'] },
      allowPrivate: false,
      timeout: 1_000,
      most: 1_000,
      context: {} as never,
    })
  for (const url of ['http://verona.lit/', 'https://192.0.2.1/', 'https://[::1]/', 'file:///etc/x'])
    await assert.rejects(read(url), /not for reading/, url)
  await assert.rejects(read('https://verona.lit/'), /no address/)
})
