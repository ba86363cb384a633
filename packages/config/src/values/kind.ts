import { z } from 'zod'

/** What a value that people write as text looks like; errors, docs and the JSON schema say it. */
export interface ValueKind {
  readonly name:
    | 'address'
    | 'count'
    | 'duration'
    | 'location'
    | 'network'
    | 'secret'
    | 'size'
    | 'toggle'
  /** Completes the sentence "expected …". */
  readonly expected: string
  /** The JSON schema of what may be written. */
  readonly json: Readonly<Record<string, unknown>>
}

/** Finds the kind of a schema that `textValue` made. */
export const valueKinds = z.registry<ValueKind>()

/**
 * A schema for one value written as text or number, with one wording for everything that is wrong.
 *
 * `parse` returns undefined for what it does not accept.
 */
export function textValue<T>(kind: ValueKind, parse: (input: unknown) => T | undefined) {
  const schema: z.ZodType<T, unknown> = z.unknown().transform((input, context) => {
    const value = parse(input)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: kind.expected, input })
    return z.NEVER
  })
  return schema.register(valueKinds, kind)
}
