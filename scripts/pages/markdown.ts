/** Tells readers and editors where a generated page comes from. */
export const generatedNotice = '<!-- Written by `npm run generate`; do not edit. -->\n'

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('')
}

/** Text as code; empty stays empty. */
export const code = (text: string | undefined): string => (text ? `\`${text}\`` : '')
