/** One thing that is wrong with the configuration. */
export interface Problem {
  /** Where it was written: `tactus.yaml:5:11`, an environment variable, a flag, or undefined. */
  readonly origin: string | undefined
  /** The key, dotted; empty for the whole file. */
  readonly path: string
  /** What is wrong, what was expected and what is allowed; never a secret's text. */
  readonly message: string
}

const line = ({ origin, path, message }: Problem): string => {
  const place = [origin, path].filter(Boolean).join(' ')
  return place ? `${place}: ${message}` : message
}

/**
 * The configuration cannot be used; carries everything that is wrong with it, so that one run of an
 * editor mends it.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  /** EX_CONFIG of sysexits.h: supervisors need not try again. */
  readonly exitCode = 78
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(problems.map(line).join('\n'))
    this.problems = problems
  }
}
