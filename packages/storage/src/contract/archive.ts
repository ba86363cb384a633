import assert from 'node:assert/strict'
import { expiredMessages } from '../archive/archive-expiry.ts'
import { type ArchiveFilter, archiveEnds, readArchivePage } from '../archive/archive-page.ts'
import { archivePurgeTable, purgedAtOnce } from '../archive/archive-purge.ts'
import type { ArchivePageRequest } from '../archive/archive-rows.ts'
import {
  type ArchivedMessage,
  archivedKey,
  archiveRow,
  archiveStore,
  archiveTable,
  originKey,
} from '../archive/archive-store.ts'
import { spokenAt } from '../archive/archive-times.ts'
import { searchedWords, wordsOf } from '../archive/archive-words.ts'
import { stateKey } from '../state-key.ts'
import type { Storage } from '../storage.ts'
import { commitRows, type StorageCase } from './support.ts'

const romeo = 'romeo@montague.example'
const juliet = 'juliet@capulet.example'
const day = 86_400_000
let steps = 100_000

const message = (id: string, rest: Partial<ArchivedMessage> = {}): ArchivedMessage => ({
  owner: romeo,
  id,
  at: 5,
  incoming: true,
  peer: juliet,
  resource: 'balcony',
  origin: undefined,
  words: undefined,
  stanza: new TextEncoder().encode(`<message id='${id}'/>`),
  ...rest,
})

async function keep(storage: Storage, ...messages: readonly ArchivedMessage[]): Promise<void> {
  steps += 1
  const outcome = await commitRows(storage, steps, (rows) => {
    for (const each of messages) rows.insert(archiveTable, archiveRow(each))
  })
  assert.equal(outcome, 'committed')
}

async function change(
  storage: Storage,
  before: ArchivedMessage,
  after: ArchivedMessage | undefined,
): Promise<void> {
  steps += 1
  const key = archivedKey(before.owner, before.id)
  const changes = [{ entity: before.owner, key, before, after }]
  await commitRows(storage, steps, (rows) => archiveStore.save(changes, rows))
}

async function load(storage: Storage, key: string): Promise<ArchivedMessage | undefined> {
  const found = await archiveStore.load(storage.reader, [{ entity: romeo, key }])
  return found.get(stateKey(romeo, key))
}

async function idsOf(
  storage: Storage,
  filter: Partial<ArchiveFilter>,
  page: Partial<ArchivePageRequest> = {},
): Promise<string | undefined> {
  const request = { max: 50, bytes: 1_000_000, fromEnd: false, ...page }
  const wanted = { owner: romeo, ...filter }
  const found = await readArchivePage(storage.jobReader, wanted, request)
  return found && found.rows.map(({ id }) => id).join(' ') + (found.complete ? ' .' : ' …')
}

const numbered = (count: number): ArchivedMessage[] =>
  Array.from({ length: count }, (_, n) => message(`m${n + 1}`, { at: (n + 1) * day }))

async function giveUp(storage: Storage, owner: string): Promise<void> {
  steps += 1
  await commitRows(storage, steps, (rows) => rows.insert(archivePurgeTable, { owner }))
}

/** What archives promise, on each storage. */
export const archiveCases: readonly StorageCase[] = [
  {
    title:
      'archives: XEP-0313 §3.2: the oldest go, by age and by number, and never one behind one that stays',
    async run(storage) {
      await keep(storage, ...numbered(5), message('skewed', { at: day }))
      const expired = (before?: number, messages?: number, limit = 100) =>
        expiredMessages(storage.jobReader, romeo, { before, messages }, limit)
      assert.deepEqual(await expired(3 * day), ['m1', 'm2'])
      assert.deepEqual(await expired(undefined, 4), ['m1', 'm2'])
      assert.deepEqual(await expired(4 * day, 4), ['m1', 'm2', 'm3'])
      assert.deepEqual(await expired(undefined, 6), [])
      assert.deepEqual(await expired(9 * day, undefined, 2), ['m1', 'm2'])
      assert.equal((await expired(undefined, 0)).length, 6)
    },
  },
  {
    title: 'archives: what was given up goes, in parts, and nothing else',
    async run(storage) {
      const many = numbered(purgedAtOnce + 5)
      await keep(storage, ...many.map((each) => ({ ...each, owner: juliet })))
      await keep(storage, message('mine', { words: 'soft' }))
      assert.equal(await storage.purgeArchives(), 0)
      await giveUp(storage, juliet)
      assert.equal(await storage.purgeArchives(), purgedAtOnce)
      assert.equal(await storage.purgeArchives(), 5)
      assert.equal(await storage.purgeArchives(), 0)
      assert.equal(await archiveEnds(storage.reader, juliet), undefined)
      assert.equal(await idsOf(storage, { words: ['soft'] }), 'mine .')
      await keep(storage, message('again', { owner: juliet }))
      assert.equal(await storage.purgeArchives(), 0)
    },
  },
  {
    title: 'archives: the times before and behind another at which somebody spoke',
    async run(storage) {
      const times = [9, 3, 7].map((at) => message(`t${at}`, { at }))
      await keep(storage, ...times, message('other', { owner: juliet, at: 5 }))
      const near = (where: Parameters<typeof spokenAt>[2]) => spokenAt(storage.reader, romeo, where)
      assert.equal(await near({ before: 9 }), 7)
      assert.equal(await near({ before: Number.MAX_SAFE_INTEGER }), 9)
      assert.equal(await near({ before: 3 }), undefined)
      assert.equal(await near({ after: 3 }), 7)
      assert.equal(await near({ after: 9 }), undefined)
    },
  },
  {
    title: 'archives: XEP-0313 §3: the order is that of acceptance, whatever the times say',
    async run(storage) {
      await keep(storage, message('c', { at: 9 }), message('a', { at: 7 }))
      await keep(storage, message('other', { owner: juliet }), message('b', { at: 8 }))
      assert.equal(await idsOf(storage, {}), 'c a b .')
      assert.deepEqual(await archiveEnds(storage.reader, romeo), {
        first: { id: 'c', at: 9 },
        last: { id: 'b', at: 8 },
      })
      assert.equal(await archiveEnds(storage.reader, 'nobody@verona.example'), undefined)
      await assert.rejects(keep(storage, message('a')))
    },
  },
  {
    title: 'archives: XEP-0059 §2: pages by key, forwards and backwards, by messages and by bytes',
    async run(storage) {
      await keep(storage, ...numbered(7))
      assert.equal(await idsOf(storage, {}, { max: 3 }), 'm1 m2 m3 …')
      assert.equal(await idsOf(storage, { after: ['m3'] }, { max: 4 }), 'm4 m5 m6 m7 .')
      assert.equal(await idsOf(storage, {}, { max: 3, fromEnd: true }), 'm5 m6 m7 …')
      assert.equal(await idsOf(storage, { before: ['m3'] }, { max: 3, fromEnd: true }), 'm1 m2 .')
      assert.equal(await idsOf(storage, { after: ['m2', 'm1'], before: ['m5'] }), 'm3 m4 .')
      assert.equal(await idsOf(storage, { ids: ['m6', 'm2'] }), 'm2 m6 .')
      for (const filter of [{ after: ['m8'] }, { before: ['m8'] }, { ids: ['m1', 'm8'] }])
        assert.equal(await idsOf(storage, filter), undefined)
      const { length } = message('m1').stanza
      assert.equal(await idsOf(storage, {}, { bytes: 2 * length }), 'm1 m2 …')
      assert.equal(await idsOf(storage, {}, { bytes: 1 }), 'm1 …')
      assert.equal(await idsOf(storage, {}, { max: 0, countTo: 100 }), ' …')
    },
  },
  {
    title: 'archives: XEP-0059 §2.7: a count, as long as it is cheap',
    async run(storage) {
      await keep(storage, ...numbered(7))
      const page = { max: 0, bytes: 1, fromEnd: false }
      const counts = await Promise.all(
        [6, 7].map((countTo) =>
          readArchivePage(storage.reader, { owner: romeo }, { ...page, countTo }),
        ),
      )
      assert.deepEqual(counts, [
        { rows: [], complete: false },
        { rows: [], complete: false, count: 7 },
      ])
    },
  },
  {
    title: 'archives: XEP-0313 §4.1: by the other side, and by its resource',
    async run(storage) {
      await keep(
        storage,
        message('a'),
        message('b', { peer: 'nurse@capulet.example' }),
        message('c', { resource: 'chamber', incoming: false }),
        message('d', { resource: undefined }),
      )
      assert.equal(await idsOf(storage, { peer: juliet }), 'a c d .')
      assert.equal(await idsOf(storage, { peer: [juliet, 'nurse@capulet.example'] }), 'a b c d .')
      assert.equal(await idsOf(storage, { peer: juliet, resource: 'chamber' }), 'c .')
      assert.equal(await idsOf(storage, { peer: "x' or 1=1 --" }), ' .')
    },
  },
  {
    title: 'archives: XEP-0313 §4.1: by time, both ends included, where clocks disagree as well',
    async run(storage) {
      await keep(storage, ...numbered(6))
      assert.equal(await idsOf(storage, { start: 2 * day, end: 4 * day }), 'm2 m3 m4 .')
      assert.equal(await idsOf(storage, { start: 2 * day + 1 }, { max: 2 }), 'm3 m4 …')
      assert.equal(await idsOf(storage, { end: 4 * day - 1 }, { max: 2, fromEnd: true }), 'm2 m3 …')
      const at = 10 * day
      await keep(storage, message('late', { at: at + 2 }), message('early', { at: at - 2 }))
      await keep(storage, message('next', { at: at + 3 }))
      assert.equal(await idsOf(storage, { start: at }), 'late next .')
      assert.equal(await idsOf(storage, { start: at - 3 }), 'late early next .')
      assert.equal(await idsOf(storage, { start: 7 * day, end: at }), 'early .')
    },
  },
  {
    title:
      'archives: a message is found by its id and by what its sender calls it, and changed in its place',
    async run(storage) {
      const first = message('a', { origin: 'o 1\n', words: wordsOf('Soft!') })
      await keep(storage, first, message('b', { incoming: false, origin: 'o2' }), message('c'))
      assert.deepEqual(await load(storage, archivedKey(romeo, 'a')), first)
      assert.deepEqual(await load(storage, originKey(first, 'o 1\n')), first)
      assert.equal(await load(storage, originKey(first, 'o2')), undefined)
      assert.equal(await load(storage, archivedKey(juliet, 'a')), undefined)
      const changed = { ...first, words: undefined, stanza: new Uint8Array([60]) }
      await change(storage, first, changed)
      assert.deepEqual(await load(storage, archivedKey(romeo, 'a')), changed)
      assert.equal(await idsOf(storage, {}), 'a b c .')
      assert.equal(await idsOf(storage, { words: searchedWords('soft') }), ' .')
      await change(storage, changed, undefined)
      assert.equal(await idsOf(storage, {}), 'b c .')
    },
  },
  {
    title: 'archives: XEP-0431: by words, in any script, whatever stands between them',
    async run(storage) {
      const texts = {
        a: 'But, soft! what light through yonder window breaks?',
        b: 'It is the east, and Juliet is the SUN.',
        c: 'Что в имени? — Ὁμιλία; अच्छा, naïve',
        d: '早上好，朱丽叶',
        e: 'soft light',
        f: `${'x'.repeat(3_000)} ${"' | & ! ( : *"}`,
      }
      for (const [id, text] of Object.entries(texts))
        await keep(storage, message(id, { words: wordsOf(text) }))
      await keep(storage, message('x', { owner: juliet, words: wordsOf('soft') }))
      const found = (text: string, page: Partial<ArchivePageRequest> = {}) =>
        idsOf(storage, { words: searchedWords(text) }, page)
      assert.equal(await found('SOFT, light'), 'a e .')
      assert.equal(await found('soft', { max: 1 }), 'a …')
      assert.equal(await found('soft', { max: 1, fromEnd: true }), 'e …')
      assert.equal(await found('sun east'), 'b .')
      assert.equal(await found('имени'), 'c .')
      assert.equal(await found('अच्छा ὁμιλία NAÏVE'), 'c .')
      assert.equal(await found('早上好'), 'd .')
      assert.equal(await found('sof'), ' .')
      assert.equal(await found(`${'x'.repeat(4_000)}`), 'f .')
      assert.deepEqual(searchedWords('\' | & ! ( : * "'), [])
      assert.equal(wordsOf('!'), undefined)
    },
  },
  {
    title: 'archives: XEP-0431: far from where the page begins, in the order of the archive',
    async run(storage) {
      const quarter = 90 * day
      // More than is looked through before the index is asked.
      const others = (from: string, at: number): readonly ArchivedMessage[] =>
        Array.from({ length: 2_001 }, (_, n) => message(`${from}${n}`, { at, words: 'else' }))
      const said = (id: string, at: number): ArchivedMessage =>
        message(id, { at, words: 'soft light' })
      await keep(storage, ...others('early', quarter))
      await keep(storage, said('a', 2 * quarter), said('b', 2 * quarter + day))
      // Clocks of two routers: what came later says that it was earlier, in the quarter before.
      await keep(storage, said('c', 7 * quarter + 30_000), said('d', 7 * quarter + 20_000))
      await keep(storage, said('e', 7 * quarter - 20_000), ...others('later', 8 * quarter))
      await keep(storage, said('f', 9 * quarter), ...others('late', 12 * quarter))

      const found = (page: Partial<ArchivePageRequest>, filter: Partial<ArchiveFilter> = {}) =>
        idsOf(storage, { words: ['soft'], ...filter }, page)
      assert.equal(await found({}), 'a b c d e f .')
      assert.equal(await found({ fromEnd: true }), 'a b c d e f .')
      assert.equal(await found({ max: 3 }), 'a b c …')
      assert.equal(await found({ max: 2, fromEnd: true }), 'e f …')
      assert.equal(await found({ max: 1, fromEnd: true }, { before: ['f'] }), 'e …')
      assert.equal(await found({ max: 1 }, { after: ['b'] }), 'c …')
      assert.equal(await found({ max: 1, fromEnd: true }, { before: ['d'] }), 'c …')
      assert.equal(await found({}, { start: 2 * quarter + 1, end: 8 * quarter }), 'b c d e .')
      assert.equal(await found({}, { words: ['soft', 'else'] }), ' .')
      assert.equal(await found({}, { start: 20 * quarter }), ' .')
      const counting = { max: 0, bytes: 0, fromEnd: false, countTo: 10 }
      const count = { owner: romeo, words: ['soft'] }
      assert.equal((await readArchivePage(storage.reader, count, counting))?.count, 6)
      assert.equal(await found({}, { start: 20 * quarter }), ' .')
    },
  },
]
