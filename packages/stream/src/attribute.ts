const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&apos;',
  '"': '&quot;',
}

/** An attribute of a header, with the space before it; for JIDs, ids and URIs, which hold neither white space nor controls. */
export function attribute(name: string, value: string | undefined): string {
  if (value === undefined) return ''
  const escaped = value.replace(/[&<>'"]/g, (character) => escapes[character] ?? '')
  return ` ${name}='${escaped}'`
}
