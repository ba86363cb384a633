import assert from 'node:assert/strict'
import {
  type Account,
  accountStore,
  countAccounts,
  credentials,
  listAccounts,
} from '../account-store.ts'
import { keyValueStore } from '../key-value-store.ts'
import {
  type Mailbox,
  mailboxCount,
  mailboxPage,
  mailboxStore,
  waitingAmong,
} from '../mailbox-store.ts'
import { type Roster, type RosterItem, rosterStore } from '../roster-store.ts'
import type { StateChange } from '../rows.ts'
import { sessionStore } from '../session-store.ts'
import { stateKey } from '../state-key.ts'
import type { DurableStore, Storage } from '../storage.ts'
import { commitRows, type StorageCase } from './support.ts'

const romeo = 'romeo@montague.example'
const juliet = 'juliet@capulet.example'
let steps = 0

async function save<T>(
  storage: Storage,
  store: DurableStore<T>,
  ...changes: readonly StateChange<T>[]
): Promise<void> {
  steps += 1
  const outcome = await commitRows(storage, steps, (rows) => store.save(changes, rows))
  assert.equal(outcome, 'committed')
}

async function load<T>(
  storage: Storage,
  store: DurableStore<T>,
  entity: string,
  key = '',
): Promise<T | undefined> {
  const others = [{ entity: 'nobody@verona.example', key }]
  const found = await store.load(storage.reader, [{ entity, key }, ...others])
  assert(found.size <= 1)
  return found.get(stateKey(entity, key))
}

const change = <T>(entity: string, before: T | undefined, after: T | undefined, key = '') => ({
  entity,
  key,
  before,
  after,
})

const account: Account = {
  createdAt: 1_790_000_000_000,
  disabled: false,
  version: 1,
  role: 'user',
  keys: {
    'sha-256': {
      salt: new Uint8Array([1, 2, 3]),
      iterations: 10_000,
      storedKey: new Uint8Array(32).fill(7),
      serverKey: new Uint8Array(32).fill(255),
    },
  },
}

const item = (jid: string, rest: Partial<RosterItem> = {}): RosterItem => ({
  jid,
  groups: [],
  subscription: 'none',
  ask: false,
  approved: false,
  pendingIn: undefined,
  version: 1,
  ...rest,
})

const rosterOf = (
  version: number,
  items: readonly RosterItem[],
  removed: readonly (readonly [string, number])[] = [],
): Roster => ({
  version,
  items: new Map(items.map((each) => [each.jid, each])),
  removed: new Map(removed),
})

const accountCases: readonly StorageCase[] = [
  {
    title: 'accounts: saved, changed, removed',
    async run(storage) {
      await save(storage, accountStore, change<Account>(romeo, undefined, account))
      assert.deepEqual(await load(storage, accountStore, romeo), account)
      const disabled: Account = { ...account, disabled: true, version: 2, role: 'admin', keys: {} }
      await save(storage, accountStore, change<Account>(romeo, account, disabled))
      assert.deepEqual(await load(storage, accountStore, romeo), disabled)
      assert.deepEqual(await credentials(storage.reader, romeo), {
        version: 2,
        disabled: true,
        keys: {},
      })
      await save(storage, accountStore, change<Account>(romeo, disabled, undefined))
      assert.equal(await load(storage, accountStore, romeo), undefined)
      assert.equal(await credentials(storage.reader, romeo), undefined)
    },
  },
  {
    title: 'accounts: listed and counted by host, page by page',
    async run(storage) {
      const names = ['a', 'B', 'ä', 'b', '☃'].map((name) => `${name}@montague.example`)
      const changes = [...names, juliet].map((jid) => change<Account>(jid, undefined, account))
      await save(storage, accountStore, ...changes)
      const listed: string[] = []
      for (let after: string | undefined; ; after = listed.at(-1)) {
        const page = await listAccounts(storage.reader, 'montague.example', { after, limit: 2 })
        listed.push(...page.map(({ jid }) => jid))
        if (page.length < 2) break
      }
      assert.deepEqual(listed, names.toSorted())
      assert.equal(await countAccounts(storage.reader, 'montague.example'), 5)
      assert.equal(await countAccounts(storage.reader, 'verona.example'), 0)
    },
  },
]

const rosterCases: readonly StorageCase[] = [
  {
    title: 'rosters: an item keeps all of RFC 6121 appendix A',
    async run(storage) {
      const full = item(juliet, {
        name: 'Juliet "J"',
        groups: ['Friends', 'a,b'],
        subscription: 'both',
        ask: true,
        approved: true,
        pendingIn: new TextEncoder().encode('<presence/>'),
        version: 4,
      })
      const roster = rosterOf(4, [full, item('nurse@capulet.example')], [['tybalt@x.example', 3]])
      await save(storage, rosterStore, change(romeo, undefined, roster))
      assert.deepEqual(await load(storage, rosterStore, romeo), roster)
    },
  },
  {
    title: 'rosters: an empty one is not an absent one',
    async run(storage) {
      await save(storage, rosterStore, change(romeo, undefined, rosterOf(0, [])))
      assert.deepEqual(await load(storage, rosterStore, romeo), rosterOf(0, []))
      assert.equal(await load(storage, rosterStore, juliet), undefined)
    },
  },
  {
    title: 'rosters: RFC 6121 §2.6: what was removed is remembered, forgotten, and may come back',
    async run(storage) {
      const [a, b] = [item('a@x.example'), item('b@x.example')]
      const states = [
        rosterOf(1, [a, b]),
        rosterOf(2, [b], [['a@x.example', 2]]),
        rosterOf(3, [item('a@x.example', { version: 3 }), b]),
        rosterOf(4, [b], [['a@x.example', 4]]),
        rosterOf(5, [item('b@x.example', { name: 'B', version: 5 })]),
      ]
      let before: Roster | undefined
      for (const after of states) {
        await save(storage, rosterStore, change(romeo, before, after))
        assert.deepEqual(await load(storage, rosterStore, romeo), after)
        before = after
      }
      await save(storage, rosterStore, change<Roster>(romeo, before, undefined))
      assert.equal(await load(storage, rosterStore, romeo), undefined)
      const left = await storage.reader.selectFrom('roster_item').selectAll().execute()
      assert.deepEqual(left, [])
    },
  },
]

const stanza = (size: number): Uint8Array => new Uint8Array(size).fill(60)

async function deliver(storage: Storage, ids: readonly string[], size = 100): Promise<void> {
  steps += 1
  await commitRows(storage, steps, (rows) => {
    for (const id of ids)
      rows.insert('mailbox', { account: romeo, id, kind: 'message', at: 5, stanza: stanza(size) })
  })
}

async function settle(storage: Storage, ids: readonly string[]): Promise<void> {
  steps += 1
  await commitRows(storage, steps, (rows) => {
    for (const id of ids) rows.delete('mailbox', ['account', 'id'], { account: romeo, id })
  })
}

const idsOf = (mailbox: Mailbox | undefined): readonly string[] | undefined =>
  mailbox?.rows.map(({ id }) => id)

const mailboxCases: readonly StorageCase[] = [
  {
    title: '§3.6: a mailbox holds what waits, in the order of its acceptance, until it is settled',
    async run(storage) {
      await deliver(storage, ['c', 'a'])
      await deliver(storage, ['b'])
      const waiting = await load(storage, mailboxStore, romeo)
      assert.deepEqual(idsOf(waiting), ['c', 'a', 'b'])
      assert.equal(waiting?.more, false)
      assert.deepEqual(waiting?.rows[0], { id: 'c', kind: 'message', at: 5, stanza: stanza(100) })
      assert.equal(await mailboxCount(storage.reader, romeo, 100), 3)
      assert.equal(await mailboxCount(storage.reader, romeo, 2), 2)
      const among = await waitingAmong(storage.reader, romeo, ['a', 'x', 'b'])
      assert.deepEqual(among.toSorted(), ['a', 'b'])
      await settle(storage, ['c', 'b'])
      assert.deepEqual(idsOf(await load(storage, mailboxStore, romeo)), ['a'])
      await settle(storage, ['a'])
      assert.equal(await load(storage, mailboxStore, romeo), undefined)
    },
  },
  {
    title: '§3.6: a mailbox is read a page at a time, by rows and by bytes',
    async run(storage) {
      const ids = Array.from({ length: mailboxPage.rows + 5 }, (_, i) => `m${i}`)
      await deliver(storage, ids)
      const page = await load(storage, mailboxStore, romeo)
      assert.deepEqual(idsOf(page), ids.slice(0, mailboxPage.rows))
      assert.equal(page?.more, true)
      await settle(storage, ids.slice(0, mailboxPage.rows))
      const rest = await load(storage, mailboxStore, romeo)
      assert.deepEqual([idsOf(rest), rest?.more], [ids.slice(mailboxPage.rows), false])
      await settle(storage, ids.slice(mailboxPage.rows))

      await deliver(storage, ['huge1'], mailboxPage.bytes)
      await deliver(storage, ['huge2'], 10)
      const first = await load(storage, mailboxStore, romeo)
      assert.deepEqual([idsOf(first), first?.more], [['huge1'], true])
    },
  },
  {
    title: '§3.6: one account never has two rows of one id',
    async run(storage) {
      await deliver(storage, ['a'])
      await assert.rejects(deliver(storage, ['a']))
    },
  },
  {
    title: '§3.11: what is replayed keeps the place that its row has, before later ones',
    async run(storage) {
      await deliver(storage, ['a', 'b', 'c'])
      steps += 1
      await commitRows(storage, steps, (rows) => {
        for (const id of ['a', 'd', 'b'])
          rows.upsert('mailbox', ['account', 'id'], {
            account: romeo,
            id,
            kind: 'message',
            at: 5,
            stanza: stanza(100),
          })
      })
      assert.deepEqual(idsOf(await load(storage, mailboxStore, romeo)), ['a', 'b', 'c', 'd'])
    },
  },
]

const places = keyValueStore({
  name: 'places',
  table: 'place',
  columns: { xml: 'text', photo: 'bytes?', seen: 'number' },
})

interface Place {
  readonly xml: string
  readonly photo: Uint8Array | undefined
  readonly seen: number
}

const otherCases: readonly StorageCase[] = [
  {
    title: '§3.6: session rows are found by id and account, and expire',
    async run(storage) {
      const now = Date.now()
      const row = { inSeq: 12, h: 11, at: now }
      await save(storage, sessionStore, change(romeo, undefined, row, 's1'))
      await save(storage, sessionStore, change(romeo, undefined, { ...row, at: 5 }, 's2'))
      assert.deepEqual(await load(storage, sessionStore, romeo, 's1'), row)
      assert.equal(await load(storage, sessionStore, juliet, 's1'), undefined)
      assert.equal(await storage.expireSessions(), 1)
      assert.equal(await load(storage, sessionStore, romeo, 's2'), undefined)
      assert.deepEqual(await load(storage, sessionStore, romeo, 's1'), row)
    },
  },
  {
    title: 'key-value stores: values by entity and key',
    async run(storage) {
      await storage.migrate([places.migration('9001-place')])
      const verona: Place = { xml: '<place/>', photo: new Uint8Array([1]), seen: 1.5 }
      const mantua: Place = { xml: '', photo: undefined, seen: 1_790_000_000_000 }
      const changes = [change(romeo, undefined, verona, 'v'), change(romeo, undefined, mantua, 'm')]
      await save(storage, places, ...changes)
      assert.deepEqual(await load(storage, places, romeo, 'v'), verona)
      assert.deepEqual(await load(storage, places, romeo, 'm'), mantua)
      assert.equal(await load(storage, places, juliet, 'v'), undefined)
      await save(storage, places, change(romeo, verona, mantua, 'v'))
      assert.deepEqual(await load(storage, places, romeo, 'v'), mantua)
      await save(storage, places, change<Place>(romeo, verona, undefined, 'v'))
      assert.equal(await load(storage, places, romeo, 'v'), undefined)
    },
  },
]

/** The stores of the core. */
export const storeCases: readonly StorageCase[] = [
  ...accountCases,
  ...rosterCases,
  ...mailboxCases,
  ...otherCases,
]
