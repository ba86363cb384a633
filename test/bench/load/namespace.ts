/** A stanza with its namespace, where no stream's header says it. */
export function named(element: string): string {
  return element.replace(/^<(iq|message|presence)\b/, "<$1 xmlns='jabber:client'")
}
