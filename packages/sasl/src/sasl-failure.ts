/** The conditions of RFC 6120 §6.5, each an element name inside `<failure/>`. */
export type SaslCondition =
  | 'aborted'
  | 'account-disabled'
  | 'credentials-expired'
  | 'encryption-required'
  | 'incorrect-encoding'
  | 'invalid-authzid'
  | 'invalid-mechanism'
  | 'malformed-request'
  | 'mechanism-too-weak'
  | 'not-authorized'
  | 'temporary-auth-failure'

/**
 * An authentication that ends here; the stream answers `<failure/>`, counts it and delays.
 *
 * The text is for people and fixed English: it must never say more about an account than the
 * condition does.
 */
export class SaslFailure extends Error {
  override readonly name = 'SaslFailure'
  readonly condition: SaslCondition
  readonly text: string | undefined
  /** False when the exchange ended before anything about a password could be learnt: no guess. */
  readonly guessed: boolean

  constructor(
    condition: SaslCondition,
    text?: string,
    options: ErrorOptions & { readonly guessed?: boolean } = {},
  ) {
    super(text ?? condition, options)
    this.condition = condition
    this.text = text
    this.guessed = options.guessed ?? true
  }
}
