const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
}

function resolve(_whole: string, name: string): string {
  if (name.charCodeAt(0) !== 0x23) return named[name] as string
  const point = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  return String.fromCodePoint(point)
}

function replaceReferences(text: string): string {
  return text.includes('&') ? text.replace(/&([^;]*);/g, resolve) : text
}

/** The characters that validated character data stands for. */
export function unescapeText(text: string): string {
  const lines = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
  return replaceReferences(lines)
}

/** The value that a validated attribute stands for; white space is normalised (XML §3.3.3). */
export function unescapeAttribute(value: string): string {
  return replaceReferences(/[\t\n\r]/.test(value) ? value.replace(/\r\n|[\t\n\r]/g, ' ') : value)
}
