import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { hasClients, TestServer } from '@tactus/testkit'

const domain = 'montague.example'
const password = 'wherefore'
const juliet = `juliet@${domain}`
const service = `pubsub.${domain}`
const comments = 'urn:xmpp:microblog:0:comments/balcony'
const script = fileURLToPath(new URL('agents/libervia.sh', import.meta.url))
const blog = 'urn:xmpp:microblog:0'

/** What somebody types, and what is to be seen. */
interface Act {
  readonly words: string
  readonly shows?: RegExp
  /** Exit status; 0 when absent. */
  readonly status?: number
}

const notes = `-s ${service} -n notes`

/**
 * What this version cannot do anywhere is not among them: the subscriptions of a node, which it looks for in another
 * namespace than XEP-0060 §8.8.1; comments to the first post of a blog, whose configuration it asks for before it is
 * there. Each takes most of a second to begin, so none is there twice.
 */
const acts: readonly Act[] = [
  ...['juliet', 'romeo'].map((name) => ({
    words: `profile create ${name} -j ${name}@${domain} -x ${password}`,
  })),
  { words: `blog set -p juliet -c -T Window -i window`, shows: /published with ID window/ },
  // Romeo is a stranger until the blog is everybody's.
  { words: `blog get -p romeo -c -s ${juliet}`, shows: /not-authorized/, status: 4 },
  { words: `pubsub node set -p juliet -n ${blog} -f access_model open` },
  { words: 'blog set -p juliet -T Balcony -t love -i balcony -C', shows: /ID balcony/ },
  {
    words: `blog get -p romeo -s ${juliet} -i balcony -O json`,
    shows: /comments\/balcony"[\s\S]*"author_jid_verified": true[\s\S]*"love"/,
  },
  // It keeps comments at the service of the host, where that has all the features that it wants.
  { words: `blog set -p romeo -s ${service} -n ${comments} -T Soft`, shows: /published with ID/ },
  {
    words: `pubsub get -p juliet -s ${service} -n ${comments}`,
    shows: new RegExp(`publisher="romeo@${domain}`),
  },
  { words: `pubsub node create -p juliet ${notes} -f title Notes`, shows: /notes/ },
  { words: `pubsub node info -p juliet ${notes}`, shows: /title: Notes/ },
  { words: `pubsub node affiliations set -p juliet ${notes} -a romeo@${domain} publisher` },
  { words: `pubsub affiliations -p romeo -s ${service}`, shows: /notes: publisher/ },
  // By XEP-0376, as it lists them.
  { words: `pubsub subscribe -p romeo ${notes}` },
  { words: 'pubsub subscriptions -p romeo', shows: /node: notes[\s\S]*state: subscribed/ },
  { words: `pubsub unsubscribe -p romeo ${notes}` },
  { words: 'pubsub subscriptions -p romeo', shows: /^(?![\s\S]*node: notes)/ },
  { words: `pubsub node delete -p juliet ${notes} -f`, shows: /deleted/ },
]

/** Answers what was shown, by command. */
async function run(server: TestServer, folder: string): Promise<readonly string[]> {
  const input = join(folder, 'input')
  writeFileSync(input, 'It is the east, and Juliet is the sun.\n')
  const child = spawn('dbus-run-session', ['--', 'sh', script], {
    env: {
      // It is for the system's own Python.
      PATH: '/usr/bin:/bin',
      HOME: join(folder, 'home'),
      XDG_RUNTIME_DIR: folder,
      LANG: 'C.UTF-8',
      LIBERVIA_DOMAIN: domain,
      LIBERVIA_PORT: String(server.port('c2s', 0)),
      SSL_CERT_FILE: join(server.configuration.folder, 'data', 'certificates', `${domain}.crt`),
      LIBERVIA_INPUT: input,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const text = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    text.out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    text.err += chunk.toString()
  })
  child.stdin.end(acts.map(({ words }) => `${words}\n`).join(''))
  await new Promise((resolve) => child.once('close', resolve))
  const shown = text.out.split(/(?<=<<\d+>>\n)/)
  assert.equal(shown.length, acts.length, text.err + text.out)
  return shown
}

test('libervia-cli blogs, comments and keeps nodes on a standalone server; the web shows it', async (context) => {
  if (!hasClients(context, 'libervia-cli', 'dbus')) return
  await using server = await TestServer.standalone({
    tls: { required: true, certificates: './certs' },
    http: { atom: '/atom' },
  })
  for (const name of ['juliet', 'romeo']) await server.addUser(`${name}@${domain}`, password)
  const folder = mkdtempSync(join(tmpdir(), 'libervia-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))

  const shown = await run(server, folder)

  acts.forEach(({ words, shows, status = 0 }, index) => {
    assert.match(shown[index] ?? '', new RegExp(`<<${status}>>\\n$`), words)
    if (shows) assert.match(shown[index] ?? '', shows, words)
  })
  const feed = await fetch(`http://127.0.0.1:${server.port('http', 0)}/atom/${juliet}/${blog}`)
  assert.match(await feed.text(), /<title[^>]*>Balcony<\/title>[\s\S]*It is the east/)
})
