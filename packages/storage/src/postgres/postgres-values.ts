import pg from 'pg'
import type { Cell } from '../rows.ts'

const { builtins, getTypeParser } = pg.types

/** Reads whole numbers as numbers while they are exact, bytes as plain Uint8Arrays: as SQLite answers. */
export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (format === 'binary') return getTypeParser(oid, format)
    if (oid === builtins.INT8 || oid === builtins.NUMERIC) return parseInteger
    if (oid === builtins.BYTEA) return parseBytes
    return getTypeParser(oid, format)
  },
}

/** Sums of whole numbers come as numeric; nothing of ours has a fraction there. */
function parseInteger(text: string): Cell {
  const number = Number(text)
  return Number.isSafeInteger(number) || text.includes('.') ? number : BigInt(text)
}

/** `\x` and hexadecimal digits, since Postgres 9.0. */
function parseBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'))
}

/** Replaces each `?` by the `$n` of Postgres; our own statements hold no other question mark. */
export function numbered(sql: string): string {
  let n = 0
  return sql.replace(/\?/g, () => {
    n += 1
    return `$${n}`
  })
}
