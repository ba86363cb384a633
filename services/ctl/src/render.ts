/** Shows a command's output to a person: tables for lists of records, `key: value` lines for one record. */
export function render(output: unknown): string {
  if (output === null || output === undefined) return 'done'
  if (Array.isArray(output)) return output.length === 0 ? 'none' : table(output)
  if (typeof output !== 'object') return String(output)
  const entries = Object.entries(output)
  // An output such as { users: [...], next } is its list, followed by what else it says.
  const lists = entries.filter(([, value]) => Array.isArray(value))
  const others = entries.filter(
    ([, value]) => !Array.isArray(value) && value !== undefined && value !== null,
  )
  const lines = others.map(([key, value]) => `${key}: ${cell(value)}`)
  return [...lists.map(([, value]) => render(value)), ...lines].join('\n') || 'done'
}

function table(rows: readonly unknown[]): string {
  if (rows.some((row) => typeof row !== 'object' || row === null)) return rows.map(cell).join('\n')
  const records = rows as readonly Readonly<Record<string, unknown>>[]
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))]
  const lines = [
    columns.map((column) => column.toUpperCase()),
    ...records.map((record) => columns.map((column) => cell(record[column]))),
  ]
  const widths = columns.map((_, index) =>
    Math.max(...lines.map((line) => line[index]?.length ?? 0)),
  )
  return lines
    .map((line) =>
      line
        .map((text, index) => text.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return '-'
  if (typeof value !== 'object') return printable(String(value))
  return printable(JSON.stringify(value))
}

/** What comes from accounts may hold control characters; a terminal must not obey them. */
function printable(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}
