import { textValue } from './kind.ts'

/** True for `postgres://…` and single words such as `memory`; false for what names a file. */
export const isUrl = (text: string): boolean =>
  /^[a-z][a-z0-9+.-]*:\/\//i.test(text) || /^[a-z]+$/.test(text)

/** Hides the password of a URL, for logs and dumps. */
export const maskUrl = (text: string): string =>
  text.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/@:]*):[^/@]*@/i, '$1:********@')

/**
 * A path or a URL. A relative path in the file is relative to the file's folder, so that the file
 * means the same wherever the server is started from; elsewhere, to the working directory.
 */
export const locationValue = textValue(
  { name: 'location', expected: 'a path or a URL', json: { type: 'string', minLength: 1 } },
  (input) => (typeof input === 'string' && input !== '' ? input : undefined),
)

/** A path or a URL with a default. */
export const location = (fallback: string) => locationValue.prefault(fallback)
