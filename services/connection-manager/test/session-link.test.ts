import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InputFrame } from '@tactus/bus'
import fc from 'fast-check'
import { type NumberedFrame, SessionLink, type Taken } from '../src/session/session-link.ts'
import { WrittenMarks } from '../src/session/written.ts'

const entity = 'romeo@montague.example'

function frame(seq: number): NumberedFrame {
  return { kind: 'session.close', entity, session: 's', epoch: 1, seq, reason: 'closed' }
}

const seqs = (frames: readonly InputFrame[]): number[] =>
  frames.flatMap((taken) => ('seq' in taken ? taken.seq : []))

function linkOf(count: number): SessionLink {
  const link = new SessionLink('p:0', entity, 's')
  for (let seq = 1; seq <= count; seq += 1) link.add(frame(seq))
  return link
}

test('design §3.4: what is taken is taken once, until it has to be repeated', () => {
  const link = linkOf(3)
  const first: InputFrame[] = []
  const before = link.take(first)
  assert.deepEqual(seqs(first), [1, 2, 3])
  const again: InputFrame[] = []
  link.take(again)
  assert.deepEqual(again, [])
  link.untake(before)
  link.take(again)
  assert.deepEqual(seqs(again), [1, 2, 3])
})

test('design §3.4: a gap repeats from where it is, and never what is committed', () => {
  const link = linkOf(5)
  link.take([])
  link.commit(2)
  link.rewind(0)
  const repeated: InputFrame[] = []
  link.take(repeated)
  assert.deepEqual(seqs(repeated), [3, 4, 5])
  link.rewind(4)
  const rest: InputFrame[] = []
  link.take(rest)
  assert.deepEqual(seqs(rest), [5])
})

test('acknowledgements and flow are said once, and again when the publish failed', () => {
  const link = linkOf(0)
  link.acknowledge(4)
  link.acknowledge(3)
  link.flow('stalled', 4)
  const said: InputFrame[] = []
  const before = link.take(said)
  assert.deepEqual(
    said.map((one) => [one.kind, 'n' in one ? one.n : 0]),
    [
      ['session.ack', 4],
      ['session.flow', 4],
    ],
  )
  link.take(said)
  assert.equal(said.length, 2)
  link.untake(before)
  link.take(said)
  assert.equal(said.length, 4)
})

test('a stall that is over before it was told is not told', () => {
  const link = linkOf(0)
  link.flow('stalled', 1)
  link.flow('ready', 1)
  const said: InputFrame[] = []
  link.take(said)
  assert.deepEqual(said, [])
})

/** An owner that takes exactly last + 1, and a bus that does with entries what it likes. */
class World {
  readonly link = linkOf(0)
  last = 0

  readonly steps: Readonly<Record<string, () => void>> = {
    add: () => this.link.add(frame(this.link.seq + 1)),
    publish: () => {
      this.#publish(true)
    },
    refuse: () => this.link.untake(this.#publish(false)),
    loseReply: () => this.link.untake(this.#publish(true)),
    commit: () => {
      this.link.commit(this.last)
    },
    gap: () => this.link.rewind(this.last),
  }

  #publish(arrives: boolean): Taken {
    const frames: InputFrame[] = []
    const before = this.link.take(frames)
    for (const seq of seqs(frames)) if (arrives && seq === this.last + 1) this.last = seq
    return before
  }
}

test('design §3.4: whatever the bus does, the owner gets every input once and in order', () => {
  const run = (names: readonly string[]): void => {
    const world = new World()
    for (const name of [...names, 'publish']) {
      world.steps[name]?.()
      assert.ok(world.link.committed <= world.last)
    }
    assert.equal(world.last, world.link.seq)
    world.link.commit(world.last)
    assert.equal(world.link.isPending, false)
  }
  const name = fc.constantFrom(...Object.keys(new World().steps))
  fc.assert(fc.property(fc.array(name, { maxLength: 60 }), run), { numRuns: 500 })
})

test('written marks: a stanza is written when all its bytes have left', () => {
  const marks = new WrittenMarks()
  marks.mark(1, 100, 0)
  marks.mark(2, 200, 0)
  marks.mark(3, 350, 200)
  assert.equal(marks.advance(199), 0)
  assert.equal(marks.advance(200), 2)
  assert.equal(marks.isComplete, false)
  assert.equal(marks.advance(350), 3)
  assert.equal(marks.isComplete, true)
  assert.equal(marks.advance(350), 3)
})
