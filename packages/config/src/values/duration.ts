import { textValue } from './kind.ts'

const milliseconds = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
type Unit = keyof typeof milliseconds

const isUnit = (text: string | undefined): text is Unit =>
  text !== undefined && Object.hasOwn(milliseconds, text)

/** Reads `30s`, `1h30m` or `0` into milliseconds; undefined for anything else. */
export function parseDuration(input: unknown): number | undefined {
  const text = typeof input === 'number' ? String(input) : input
  if (text === '0') return 0
  if (typeof text !== 'string' || !/^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/.test(text)) return undefined
  let total = 0
  for (const [, figure, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g))
    if (isUnit(unit)) total += Number(figure) * milliseconds[unit]
  return total <= Number.MAX_SAFE_INTEGER ? Math.round(total) : undefined
}

/** Writes milliseconds the way a person would: the largest unit that divides them. */
export function formatDuration(duration: number): string {
  if (duration === 0) return '0'
  for (const unit of ['w', 'd', 'h', 'm', 's'] as const)
    if (duration % milliseconds[unit] === 0) return `${duration / milliseconds[unit]}${unit}`
  return `${duration}ms`
}

/** A span of time, in milliseconds once read. A bare number is refused: its unit would be a guess. */
export const durationValue = textValue(
  {
    name: 'duration',
    expected: 'a duration such as 30s, 10m or 1h30m',
    json: { type: 'string', pattern: '^(0|([0-9]+(\\.[0-9]+)?(ms|[smhdw]))+)$' },
  },
  parseDuration,
)

/** A span of time with a default, both written like `30s`; milliseconds once read. */
export const duration = (fallback: string) => durationValue.prefault(fallback)
