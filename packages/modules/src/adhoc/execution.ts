import { CommandError, type JobContext, type JobDefinition, type Scope } from '@tactus/core'
import { type FullJid, resourcepart } from '@tactus/jid'
import { errorReply, iqResult, NS_CLIENT, type StanzaCondition, StanzaError } from '@tactus/stanza'
import { Stanza, type XmlElement, xml } from '@tactus/xml'
import type { Outcome, Step } from './offer.ts'

/** The request that waits for an answer. */
export interface Asked {
  readonly id: string
  /** Full JID. */
  readonly from: FullJid
  readonly to: string
}

/** A noted job: steps to be run beside the router's own, for a session of an account. */
export interface ExecutionSpec {
  readonly job: string
  readonly sessionId: string
  readonly asked: Asked
  readonly steps: readonly Step[]
  /** Secret root of the steps' sources: a job that runs again does nothing twice. */
  readonly source: string
}

/** Runs the steps one after another; one that is refused does not keep the others. */
export async function runSteps(
  { steps, source }: ExecutionSpec,
  { runCommand }: Pick<JobContext, 'runCommand'>,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const [index, { command, input, about }] of steps.entries()) {
    try {
      const output = await runCommand(command, input, `${source}-${index}`)
      outcomes.push({ ok: true, about, output })
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      outcomes.push({ ok: false, about, code: error.code, message: error.message })
    }
  }
  return outcomes
}

/** A job of this name that hands the outcomes to `done`. */
export function execution(
  done: (scope: Scope, spec: ExecutionSpec, outcomes: readonly Outcome[]) => void,
): JobDefinition<ExecutionSpec, readonly Outcome[]> {
  return {
    run: runSteps,
    done(scope, spec, result) {
      const failed: Outcome = { ok: false, about: '', code: 'internal', message: 'It failed.' }
      done(scope, spec, result.ok ? result.value : [failed])
    },
  }
}

/** Answers the request, where the resource that made it is still there. */
export function answerAsked(scope: Scope, asked: Asked, answer: XmlElement | StanzaError): void {
  const session = scope.session(resourcepart(asked.from) ?? '')
  if (!session) return
  const request = Stanza.from(xml('iq', { xmlns: NS_CLIENT, type: 'set', ...asked }))
  const reply =
    answer instanceof StanzaError ? errorReply(request, answer) : iqResult(request, answer)
  if (reply) scope.deliver(session, reply)
}

const conditions: Readonly<Record<string, StanzaCondition>> = {
  conflict: 'conflict',
  'not-found': 'item-not-found',
  'not-allowed': 'not-allowed',
  invalid: 'not-acceptable',
  'not-acceptable': 'not-acceptable',
  unsupported: 'feature-not-implemented',
  unavailable: 'resource-constraint',
}

/** XEP-0133 §5: a command that could not be completed is answered with an error, in its own words. */
export function asStanzaError({ code, message }: Extract<Outcome, { ok: false }>): StanzaError {
  return new StanzaError(conditions[code] ?? 'internal-server-error', message)
}
