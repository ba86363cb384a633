import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

const levelStyles: Readonly<Record<string, Style>> = {
  debug: 'gray',
  info: 'green',
  warn: 'yellow',
  error: 'red',
}

/**
 * SECURITY: records hold what strangers send. Control characters, C1 included, would be commands to
 * the terminal; those that turn the direction of text would let it lie.
 */
const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (character) =>
    character === '\n' || character === '\t'
      ? character
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const isPlain = (value: unknown): value is string =>
  typeof value === 'string' && /^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(value) && !value.includes('"')

const fieldText = (value: unknown): string =>
  printable(isPlain(value) ? value : (JSON.stringify(value) ?? ''))

const stackOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'stack' in error ? String(error.stack) : undefined

/** Turns one JSON record into lines for a person: time, level, event, fields, then a stack. */
export function prettyLine(json: string, style: typeof styleText = styleText): string {
  const { time, level, event, msg, err, ...fields } = JSON.parse(json) as Record<string, unknown>
  const head = [
    style('gray', String(time).slice(11, 19)),
    style(levelStyles[String(level)] ?? 'white', String(level).padEnd(5)),
    style('bold', printable(String(event ?? msg ?? ''))),
  ]
  const details = Object.entries(fields).map(
    ([key, value]) => `${style('gray', `${printable(key)}=`)}${fieldText(value)}`,
  )
  const stack = stackOf(err)
  const tail = stack === undefined ? '' : `\n${style('gray', printable(stack))}`
  return `${[...head, ...details].join(' ')}${tail}\n`
}

/** Where the logger writes when a person reads along; `write` stands in for standard output. */
export const prettyDestination = (
  write: (text: string) => void = (text) => process.stdout.write(text),
): { write(line: string): void } => ({ write: (line) => write(prettyLine(line)) })
