import fc from 'fast-check'
import { tokens } from './corpus.ts'

/** Changes bytes, mostly behind the first `from`, which are the header's. */
export type Mutation = (bytes: Buffer, from: number) => Buffer

// Not a double: those would crowd at the beginning.
const place = fc.noBias(fc.nat({ max: 65_535 }))
/** One in eight changes hits the header. */
const wherever = fc.tuple(place, fc.integer({ min: 0, max: 7 }))

function position(bytes: Buffer, from: number, [offset, part]: [number, number]): number {
  const start = part === 0 ? 0 : from
  return start + (offset % Math.max(1, bytes.length - start))
}

const splice = (bytes: Buffer, at: number, remove: number, add: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), add, bytes.subarray(at + remove)])

const insertToken = fc
  .tuple(wherever, fc.constantFrom(...tokens), fc.integer({ min: 0, max: 3 }))
  .map(
    ([where, token, remove]): Mutation =>
      (bytes, from) =>
        splice(bytes, position(bytes, from, where), remove, Buffer.from(token)),
  )

const insertBytes = fc
  .tuple(wherever, fc.uint8Array({ minLength: 1, maxLength: 4 }), fc.integer({ min: 0, max: 4 }))
  .map(
    ([where, added, remove]): Mutation =>
      (bytes, from) =>
        splice(bytes, position(bytes, from, where), remove, added),
  )

const cut = fc.tuple(wherever, fc.integer({ min: 1, max: 12 })).map(
  ([where, remove]): Mutation =>
    (bytes, from) =>
      splice(bytes, position(bytes, from, where), remove, Buffer.alloc(0)),
)

const repeat = fc.tuple(wherever, wherever, fc.integer({ min: 1, max: 24 })).map(
  ([source, target, length]): Mutation =>
    (bytes, from) => {
      const start = position(bytes, from, source)
      const copy = Buffer.from(bytes.subarray(start, start + length))
      return splice(bytes, position(bytes, from, target), 0, copy)
    },
)

/** One to four changes of a stream's bytes. */
export const mutations: fc.Arbitrary<Mutation> = fc
  .array(fc.oneof(insertToken, insertBytes, cut, repeat), { minLength: 1, maxLength: 3 })
  .map(
    (steps): Mutation =>
      (bytes, from) =>
        steps.reduce((current, step) => step(current, Math.min(from, current.length)), bytes),
  )
