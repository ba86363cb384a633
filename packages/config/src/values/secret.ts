import { inspect } from 'node:util'
import { textValue } from './kind.ts'

const mask = '[secret]'

/** Text that no log, dump or template shows by accident; only `reveal` gives it out. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself. Call it where it is used and keep no copy. */
  reveal(): string {
    return this.#text
  }

  toString(): string {
    return mask
  }

  toJSON(): string {
    return mask
  }

  [inspect.custom](): string {
    return mask
  }
}

/** A password, key or token; best given by `…_FILE` or `${file:…}`. One that was read already stays as it is. */
export const secretValue = textValue(
  { name: 'secret', expected: 'a secret, as text', json: { type: 'string', minLength: 1 } },
  (input) =>
    input instanceof Secret
      ? input
      : (typeof input === 'string' && input !== '') || typeof input === 'number'
        ? new Secret(String(input))
        : undefined,
)
