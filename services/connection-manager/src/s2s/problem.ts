/** Why a stream to another server did not come to be, or ended. */
export interface Problem {
  readonly message: string
  /** The condition for those whose stanzas wait; undefined where another try may go better. */
  readonly final:
    | 'remote-server-not-found'
    | 'remote-server-timeout'
    | 'internal-server-error'
    | undefined
  /** Neither side had anything to say. */
  readonly isIdle?: boolean
  /** It says that what it was sent is not to be borne. */
  readonly isBlame?: boolean
}

/** Another try may go better. */
export const temporary = (message: string): Problem => ({ message, final: undefined })

/** Conditions after which trying again would end the same way. */
const finals: Readonly<Record<string, Problem['final']>> = {
  'host-unknown': 'remote-server-not-found',
  'host-gone': 'remote-server-not-found',
  'not-authorized': 'remote-server-not-found',
  'policy-violation': 'remote-server-not-found',
}

/** Conditions that say nothing of what was sent (RFC 6120 §4.9.3). */
const blameless: ReadonlySet<string> = new Set([
  'conflict',
  'connection-timeout',
  'host-gone',
  'not-authorized',
  'remote-connection-failed',
  'reset',
  'resource-constraint',
  'see-other-host',
  'system-shutdown',
])

/** The other side ended the stream by an error. */
export function streamError(condition: string, isReady: boolean): Problem {
  const message = `it said ${condition}`
  if (isReady) return { message, final: undefined, isBlame: !blameless.has(condition) }
  return { message, final: finals[condition] }
}
