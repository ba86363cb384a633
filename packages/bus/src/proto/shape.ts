import { Stanza } from '@tactus/xml'

/** A value from the bus is not what its schema says. */
export class Malformed extends Error {}

/**
 * The schema of one value: how it is laid down in msgpack, and how it is read back with every check.
 *
 * Writing trusts the compiler; reading trusts nothing, because another release may have written it.
 */
export interface Shape<T> {
  /** The schema as text: what the test of frozen frames compares. */
  readonly describe: string
  pack(value: T): unknown
  /** @throws {Malformed} */
  unpack(plain: unknown): T
}

const same = <T>(value: T): unknown => value

function checked<T>(describe: string, holds: (plain: unknown) => boolean): Shape<T> {
  return {
    describe,
    pack: same,
    unpack(plain) {
      if (!holds(plain)) throw new Malformed(`expected ${describe}`)
      return plain as T
    },
  }
}

export const text: Shape<string> = checked('text', (plain) => typeof plain === 'string')
export const flag: Shape<boolean> = checked('flag', (plain) => typeof plain === 'boolean')
/** A whole number from 0. */
export const count: Shape<number> = checked(
  'count',
  (plain) => Number.isSafeInteger(plain) && Number(plain) >= 0,
)
/** Milliseconds since 1970. */
export const instant: Shape<number> = checked(
  'instant',
  (plain) => Number.isFinite(plain) && Number(plain) >= 0,
)
/** Any plain data: JSON and bytes, not nested deeper than `plainDepth`. */
export const plain: Shape<unknown> = checked('plain', (value) => isPlain(value, 0))

/** One of a few words. */
export function word<const W extends string>(...words: readonly W[]): Shape<W> {
  return checked(words.join('|'), (value) => (words as readonly unknown[]).includes(value))
}

/** A value or `undefined`, laid down as nil. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return {
    describe: `${shape.describe}?`,
    pack: (value) => (value === undefined ? null : shape.pack(value)),
    unpack: (value) => (value === null || value === undefined ? undefined : shape.unpack(value)),
  }
}

export function list<T>(shape: Shape<T>): Shape<readonly T[]> {
  return {
    describe: `[${shape.describe}]`,
    pack: (values) => values.map((value) => shape.pack(value)),
    unpack: (values) => array(values, undefined).map((value) => shape.unpack(value)),
  }
}

/** Text under names of its own: `info` of sessions. */
export const texts: Shape<Readonly<Record<string, string>>> = checked(
  '{text}',
  (value) => isRecord(value) && Object.values(value).every((entry) => typeof entry === 'string'),
)

/** Canonical bytes on the wire; parsed again, and so validated again, when read. */
export const stanza: Shape<Stanza> = {
  describe: 'stanza',
  pack: (value) => value.bytes,
  unpack(value) {
    if (!(value instanceof Uint8Array)) throw new Malformed('expected stanza')
    try {
      // Copied: a slice would keep the whole reply of Redis alive for as long as a presence is cached.
      return Stanza.parse(Buffer.from(value))
    } catch (cause) {
      throw new Malformed('expected stanza', { cause })
    }
  },
}

type Fields<T> = { readonly [F in keyof T]-?: Shape<T[F]> }

/** An object laid down as the list of its values in the order given here; the names do not travel. */
export function fields<T extends object>(shapes: Fields<T>): Shape<T> {
  const names = Object.keys(shapes) as (keyof T & string)[]
  const columns = names.map((name) => ({ name, shape: shapes[name] as Shape<unknown> }))
  return {
    describe: `{${columns.map(({ name, shape }) => `${name}:${shape.describe}`).join(',')}}`,
    pack: (value) => columns.map(({ name, shape }) => shape.pack(value[name])),
    unpack(values) {
      const list = array(values, columns.length)
      const object: Record<string, unknown> = {}
      for (const [index, { name, shape }] of columns.entries())
        object[name] = shape.unpack(list[index])
      return object as T
    },
  }
}

/** A list of fixed length. */
export function tuple<const T extends readonly unknown[]>(
  ...shapes: { readonly [I in keyof T]: Shape<T[I]> }
): Shape<T> {
  const members = shapes as unknown as readonly Shape<unknown>[]
  return {
    describe: `(${members.map(({ describe }) => describe).join(',')})`,
    pack: (values) => members.map((shape, index) => shape.pack(values[index])),
    unpack(values) {
      const list = array(values, members.length)
      return members.map((shape, index) => shape.unpack(list[index])) as unknown as T
    },
  }
}

/** A union told apart by one boolean member: laid down as [true or false, the rest]. */
export function either<K extends string, T extends object, F extends object>(
  key: K,
  yes: Shape<T>,
  no: Shape<F>,
): Shape<(T & { readonly [P in K]: true }) | (F & { readonly [P in K]: false })> {
  type Union = (T & { readonly [P in K]: true }) | (F & { readonly [P in K]: false })
  return {
    describe: `${key}?${yes.describe}:${no.describe}`,
    pack: (value) => (value[key] ? [true, yes.pack(value as T)] : [false, no.pack(value as F)]),
    unpack(values) {
      const [tag, rest] = array(values, 2)
      const held = flag.unpack(tag)
      return { [key]: held, ...(held ? yes : no).unpack(rest) } as unknown as Union
    },
  }
}

const plainDepth = 64

function array(value: unknown, length: number | undefined): readonly unknown[] {
  if (!Array.isArray(value)) throw new Malformed('expected a list')
  if (length !== undefined && value.length !== length)
    throw new Malformed(`expected a list of ${length}, not of ${value.length}`)
  return value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  )
}

function isPlain(value: unknown, depth: number): boolean {
  if (value === null || value === undefined) return true
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean')
    return true
  if (value instanceof Uint8Array) return true
  if (depth >= plainDepth) return false
  if (Array.isArray(value)) return value.every((entry) => isPlain(entry, depth + 1))
  return isRecord(value) && Object.values(value).every((entry) => isPlain(entry, depth + 1))
}
