import { textValue } from './kind.ts'

const bytes = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }
type Unit = keyof typeof bytes

const isUnit = (text: string): text is Unit => Object.hasOwn(bytes, text)

/** Reads `256KiB`, `10MB` or a number of bytes; undefined for anything else. */
export function parseSize(input: unknown): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kKMG]?i?B)?$/.exec(String(input))
  if (!match || (typeof input !== 'string' && typeof input !== 'number')) return undefined
  const [, figure, unit = 'B'] = match
  if (!isUnit(unit)) return undefined
  const total = Number(figure) * bytes[unit]
  return Number.isSafeInteger(total) ? total : undefined
}

/** Writes bytes in the largest binary unit that divides them. */
export function formatSize(size: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const)
    if (size > 0 && size % bytes[unit] === 0) return `${size / bytes[unit]}${unit}`
  return String(size)
}

/** A number of bytes, at least `min` of them. */
export const sizeValue = (min = 0) =>
  textValue(
    {
      name: 'size',
      expected: `a size such as 256KiB or 262144${min > 0 ? `, at least ${formatSize(min)}` : ''}`,
      json: { anyOf: [{ type: 'integer', minimum: min }, { type: 'string' }] },
    },
    (input) => {
      const size = parseSize(input)
      return size !== undefined && size >= min ? size : undefined
    },
  )

/** A number of bytes with a default; `min` is the least that may be asked for. */
export const size = (fallback: string, min = 0) => sizeValue(min).prefault(fallback)
