import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextKey, type RidVerdict, readBoshBody } from '@tactus/stream'
import { clientLimits } from '@tactus/xml'
import fc from 'fast-check'
import { PendingRequest } from '../src/bosh/request.ts'
import { RequestLine } from '../src/bosh/request-line.ts'
import { type BoshTerms, readTerms } from '../src/bosh/terms.ts'
import { keySequence } from './support/bosh.ts'

const clock = { now: () => 0, monotonic: () => 0, after: () => () => {} }
const bosh = { wait: 60, inactivity: 60, polling: 5, maxPause: 120, script: false, sessions: 10 }
const terms = readTerms({ to: 'montague.example' }, { bosh }, true)

const request = (rid: number, content = "<r xmlns='x'/>"): PendingRequest => {
  const text = `<body xmlns='http://jabber.org/protocol/httpbind' rid='${rid}' sid='x'>${content}</body>`
  return new PendingRequest({ rid, body: readBoshBody(Buffer.from(text), clientLimits) }, () => {})
}

const again = { kind: 'unavailable' } as const

/** A line whose oldest request is answered as soon as another one waits. */
class Play {
  readonly line: RequestLine
  readonly terms: BoshTerms
  readonly taken: number[] = []
  answered = 100

  constructor(terms: BoshTerms) {
    this.terms = terms
    this.line = new RequestLine(terms, { rid: 100, h: 0, key: '' }, { clock, polling: 0 })
  }

  /** The number that is next. */
  get next(): number {
    return 101 + this.taken.length
  }

  arrive(rid: number): void {
    const verdict = this.line.judge(request(rid), this.answered)
    assert.equal(verdict, this.#expected(rid))
    if (verdict === 'outside' || verdict === 'answered') return
    this.line.join(request(rid), again)
    this.#takeAll()
    const [oldest, another] = this.line.held
    if (!oldest || !another) return
    this.line.remove(oldest)
    this.answered = oldest.rid
  }

  #expected(rid: number): RidVerdict {
    if (rid < this.next) return rid > this.answered ? 'unanswered' : 'answered'
    if (rid === this.next) return 'next'
    return rid < this.next + this.terms.requests ? 'early' : 'outside'
  }

  #takeAll(): void {
    for (let next = this.line.take(); next && !next.violation; next = this.line.take())
      this.taken.push(next.request.rid)
  }
}

test('V16, XEP-0124 §14: whatever arrives how often in which order, requests are taken once, in order, and few wait', () => {
  assert(terms)
  // Around what is next: before it, in the window, beyond.
  const arrivals = fc.array(fc.integer({ min: -3, max: 5 }), { maxLength: 200 })
  fc.assert(
    fc.property(arrivals, (offsets) => {
      const play = new Play(terms)
      for (const offset of offsets) {
        play.arrive(play.next + offset)
        assert(play.line.all.length <= terms.requests + 1)
      }
      const inOrder = play.taken.map((_, n) => 101 + n)
      assert.deepEqual(play.taken, inOrder)
    }),
  )
})

test('XEP-0124 §11: a few may be early, as of a page that is loaded again; who always is ends its session', () => {
  assert(terms)
  let now = 0
  let rid = 100
  const polling = 5_000
  const line = new RequestLine(
    terms,
    { rid, h: 0, key: '' },
    { clock: { ...clock, monotonic: () => now }, polling },
  )
  /** Asks with nothing to say while the request before waits, which is then answered. */
  const ask = (): string => {
    rid += 1
    line.join(request(rid, ''), again)
    const { violation = 'taken' } = line.take() ?? {}
    const [oldest, another] = line.held
    if (oldest && another) line.remove(oldest)
    return violation
  }
  assert.equal(ask(), 'taken')
  for (let early = 0; early < 5; early++) assert.equal(ask(), 'taken')
  now += polling
  assert.equal(ask(), 'taken', 'in time')
  now += 1
  assert.equal(ask(), 'taken', 'one was forgotten meanwhile')
  assert.equal(ask(), 'policy-violation')
})

test('XEP-0124 §15.4: a key is the one before the last, or that of the new sequence', () => {
  const [newkey = '', first = '', second = ''] = keySequence('seed', 3)
  const start = nextKey('', { newkey })
  assert.equal(start, newkey)
  assert.equal(nextKey(newkey.toUpperCase(), { key: first }), first)
  assert.equal(nextKey(first, { key: second, newkey: 'another' }), 'another')
  assert.equal(nextKey(newkey, { key: second }), undefined)
  assert.equal(nextKey(newkey, {}), undefined)
})
