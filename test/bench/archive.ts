import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { realEnv } from '@tactus/env'
import {
  type ArchiveFilter,
  type ArchivePageRequest,
  archiveRow,
  archiveTable,
  collectRows,
  coreMigrations,
  openPostgresStorage,
  openSqliteStorage,
  readArchivePage,
  type Storage,
  searchedWords,
  wordsOf,
} from '@tactus/storage'
import { ownPostgres } from '@tactus/testkit'

const help = `Measures reading of archives (XEP-0313): pages at the beginning, the end and the middle, and searches.

  node --conditions=source test/bench/archive.ts [options]

  --one N          messages of one large archive (default 5000000)
  --accounts N     other archives (default 100)
  --each N         messages of each of them (default 10000)
  --repeat N       every question so many times, each about another place (default 20)
  --target NAME    postgres or sqlite (default postgres: one is started, or DATABASE_URL names one to be filled)
  --filled         asks only: DATABASE_URL names one that was filled before`

const { values } = parseArgs({
  options: {
    one: { type: 'string', default: '5000000' },
    accounts: { type: 'string', default: '100' },
    each: { type: 'string', default: '10000' },
    repeat: { type: 'string', default: '20' },
    target: { type: 'string', default: 'postgres' },
    filled: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const repeat = Number(values.repeat)
const started = Date.UTC(2026, 0, 1)
const minute = 60_000
const stepRows = 2_000
const page: ArchivePageRequest = { max: 50, bytes: 1_048_576, fromEnd: false }
/** Some words are in half of all messages, some in one of fifty, and one word in each is rare. */
const vocabulary = ['light', 'window', 'east', 'sun', 'moon', 'envious', 'maid', 'vestal', 'livery']

interface Archive {
  readonly owner: string
  readonly messages: number
}

const textOf = (n: number): string => {
  const words = Array.from({ length: 8 }, (_, at) => vocabulary[(n * 7 + at * at * 3) % 9] ?? '')
  return `${words.join(' ')} ${n % 2 === 0 ? 'often' : 'else'} some${n % 50} rare${Math.floor(n / 100)}`
}

async function fill(storage: Storage, archives: readonly Archive[]): Promise<number> {
  await storage.migrate(coreMigrations)
  if (values.filled) return 0
  await storage.ownership.register('bench')
  const begun = performance.now()
  let step = 0
  for (const { owner, messages } of archives)
    for (let from = 0; from < messages; from += stepRows) {
      step += 1
      const rows = collectRows()
      for (let n = from; n < Math.min(from + stepRows, messages); n += 1)
        rows.insert(archiveTable, rowOf(owner, n))
      await storage.commit({
        router: 'bench',
        step,
        record: undefined,
        forget: [],
        writes: rows.writes(),
      })
    }
  return performance.now() - begun
}

function rowOf(owner: string, n: number): ReturnType<typeof archiveRow> {
  const text = textOf(n)
  const peer = `friend${n % 20}@montague.example`
  const stanza = `<message xmlns='jabber:client' type='chat' id='${n}' from='${peer}/orchard' to='${owner}'><body>${text}</body><origin-id xmlns='urn:xmpp:sid:0' id='${n}'/></message>`
  return archiveRow({
    owner,
    id: `id${n}`,
    at: started + n * minute,
    incoming: true,
    peer,
    resource: 'orchard',
    origin: `${n}`,
    words: wordsOf(text),
    stanza: new TextEncoder().encode(stanza),
  })
}

/** Postgres plans by what it knows of a table, which its autovacuum finds out once a minute or so. */
async function analysed(storage: Storage): Promise<void> {
  for (let waited = 0; storage.dialect === 'postgres' && waited < 300; waited += 1) {
    const parts = await storage.reader
      .selectFrom('pg_stat_user_tables')
      .select(['n_live_tup', 'n_mod_since_analyze'])
      .where('relname', 'like', 'archive_%')
      .execute()
    const isKnown = parts.every((part) => part.n_mod_since_analyze <= part.n_live_tup / 5)
    if (isKnown && parts.some((part) => part.n_live_tup > 0)) return
    await pause(1_000)
  }
}

type Question = (
  archive: Archive,
  turn: number,
) => readonly [Partial<ArchiveFilter>, Partial<ArchivePageRequest>]

const some = ({ messages }: Archive, turn: number): number =>
  Math.floor((messages * (turn + 0.5)) / repeat)
const search = (text: string): Partial<ArchiveFilter> => ({ words: searchedWords(text) })

/** What clients ask, each time of another place in the archive. */
const questions: Readonly<Record<string, Question>> = {
  'first page': () => [{}, {}],
  'last page': () => [{}, { fromEnd: true }],
  'page in the middle': (archive, turn) => [{ after: [`id${some(archive, turn)}`] }, {}],
  'page before, in the middle': (archive, turn) => [
    { before: [`id${some(archive, turn)}`] },
    { fromEnd: true },
  ],
  'from a time on': (archive, turn) => [{ start: started + some(archive, turn) * minute }, {}],
  'with one contact, last page': (_, turn) => [
    { peer: `friend${turn % 20}@montague.example` },
    { fromEnd: true },
  ],
  'with one contact, from a time on': (archive, turn) => [
    { peer: `friend${turn % 20}@montague.example`, start: started + some(archive, turn) * minute },
    {},
  ],
  'one message by its id': (archive, turn) => [{ ids: [`id${some(archive, turn)}`] }, {}],
  'search: in 100 messages': (archive, turn) => [
    search(`rare${Math.floor(some(archive, turn) / 100)}`),
    {},
  ],
  'search: in every 50th message': (_, turn) => [search(`some${turn % 50}`), { fromEnd: true }],
  'search: in every other message': () => [search('often'), { fromEnd: true }],
  'search: in none': (_, turn) => [search(`nowhere${turn}`), {}],
}

async function ask(storage: Storage, archive: Archive, question: Question): Promise<string> {
  const times: number[] = []
  for (let turn = 0; turn < repeat; turn += 1) {
    const [filter, request] = question(archive, turn)
    const begun = performance.now()
    await readArchivePage(
      storage.jobReader,
      { owner: archive.owner, ...filter },
      { ...page, ...request },
    )
    times.push(performance.now() - begun)
  }
  times.sort((a, b) => a - b)
  const at = (share: number): string =>
    (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(1)
  return `${at(0.5)} | ${at(1)}`
}

async function openTarget(stack: AsyncDisposableStack): Promise<Storage> {
  const env = realEnv()
  if (values.target === 'sqlite') {
    const folder = await mkdtemp(join(tmpdir(), 'tactus-archive-'))
    stack.defer(() => rm(folder, { recursive: true }))
    return stack.use(await openSqliteStorage({ folder, env, durability: 'batched' }))
  }
  if (values.target !== 'postgres') throw new Error('--target takes postgres or sqlite')
  const url = process.env.DATABASE_URL ?? stack.use(await ownPostgres()).url
  return stack.use(await openPostgresStorage({ url, env }))
}

if (values.help) process.stdout.write(`${help}\n`)
else {
  // What is waited for at the end does not keep a process alive.
  const alive = setInterval(() => {}, 1_000)
  await using stack = new AsyncDisposableStack()
  stack.defer(() => clearInterval(alive))
  const storage = await openTarget(stack)
  const one: Archive = { owner: 'juliet@capulet.example', messages: Number(values.one) }
  const others = Array.from({ length: Number(values.accounts) }, (_, at) => ({
    owner: `account${at}@capulet.example`,
    messages: Number(values.each),
  }))
  const archives = [one, ...others].filter(({ messages }) => messages > 0)
  const rows = archives.reduce((sum, { messages }) => sum + messages, 0)
  const took = await fill(storage, archives)
  await analysed(storage)
  const written = values.filled
    ? 'written before'
    : `written at ${Math.round((rows / took) * 1_000)} a second`
  const load = loadavg().map((figure) => figure.toFixed(1))
  process.stdout.write(
    `${values.target}, ${rows} messages ${written}; ${cpus().length} cores, load ${load.join(' ')}\n`,
  )
  for (const archive of [one, others[0]])
    if (archive && archive.messages > 0) {
      process.stdout.write(
        `\n| archive of ${archive.messages}, milliseconds | p50 | worst |\n| --- | --- | --- |\n`,
      )
      for (const [name, question] of Object.entries(questions))
        process.stdout.write(`| ${name} | ${await ask(storage, archive, question)} |\n`)
    }
}
