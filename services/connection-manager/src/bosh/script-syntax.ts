/** Names of functions that an answer may call: a name, or a path of names. */
const callbackName = /^[A-Za-z_$][\w$]{0,63}(\.[A-Za-z_$][\w$]{0,63}){0,3}$/

/** A request in the query of a GET (XEP-0252). */
export interface ScriptRequest {
  readonly body: string
  /** The function that the page named, which takes an object; undefined for that of the specification, which takes a text. */
  readonly callback: string | undefined
}

/** Reads a query: the body itself, or `callback` and `data`. Undefined for what is neither. */
export function readScriptRequest(query: string): ScriptRequest | undefined {
  try {
    const text = decodeURIComponent(query)
    if (text.startsWith('<')) return { body: text, callback: undefined }
  } catch {
    return undefined
  }
  const named = new URLSearchParams(query)
  const body = named.get('data')
  const callback = named.get('callback')
  if (!body || !callback || !callbackName.test(callback)) return undefined
  return { body, callback }
}

/**
 * An answer as a script (§3.2).
 *
 * SECURITY: what a peer wrote stands within a string; all that could end it, or is a line of its own in old scripts, is
 * escaped. The comment keeps the first bytes from being read as anything but a script.
 */
export function scriptOf(text: string, callback: string | undefined): string {
  const literal = JSON.stringify(text).replace(
    /[<>\u007f-\u00a0\u00ad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return callback === undefined ? `_BOSH_(${literal})` : `/**/${callback}({"reply":${literal}});`
}
