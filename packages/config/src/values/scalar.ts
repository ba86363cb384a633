import { textValue } from './kind.ts'

/** What means yes and what means no. */
export const toggleWords: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  ['true', true],
  ['on', true],
  ['yes', true],
  [false, false],
  ['false', false],
  ['off', false],
  ['no', false],
])

/** A switch, written `on`/`off`, `true`/`false` or `yes`/`no`. */
export const toggleValue = textValue(
  {
    name: 'toggle',
    expected: 'on or off',
    json: { enum: [...toggleWords.keys()] },
  },
  (input) => toggleWords.get(input),
)

/** A switch with a default. */
export const toggle = (fallback: boolean) => toggleValue.prefault(fallback)

/** A whole number between two bounds, both included; its text is accepted too, for environments. */
export const countValue = (min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  textValue(
    {
      name: 'count',
      expected:
        max === Number.MAX_SAFE_INTEGER
          ? `a whole number from ${min} on`
          : `a whole number from ${min} to ${max}`,
      json: { type: 'integer', minimum: min, maximum: max },
    },
    (input) => {
      const text = typeof input === 'number' ? String(input) : input
      if (typeof text !== 'string' || !/^\d+$/.test(text)) return undefined
      const figure = Number(text)
      return figure >= min && figure <= max ? figure : undefined
    },
  )

/** A whole number with a default, between two bounds. */
export const count = (fallback: number, min = 0, max: number = Number.MAX_SAFE_INTEGER) =>
  countValue(min, max).prefault(fallback)
