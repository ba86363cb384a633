import type { ModuleLog, Scope } from '@tactus/core'
import type { FullJid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import type { XmlElement } from '@tactus/xml'
import { NS_ADMIN } from './administration-offer.ts'
import { type Asked, answerAsked, asStanzaError, type ExecutionSpec } from './execution.ts'
import type { Caller, Offer, Outcome, Planner, Step, Values } from './offer.ts'
import {
  beginSession,
  type CommandSession,
  commandSessionStore,
  endCommandSession,
  findSession,
  keepSession,
} from './session.ts'
import { actionsAt, readValues, type Stage, stageForm, stagesOf } from './stages.ts'
import {
  type Action,
  badPayload,
  type CommandRequest,
  commandEcho,
  commandElement,
  commandError,
  type Note,
} from './wire.ts'

/** Name of this module and of its jobs. */
export const moduleName = 'adhoc'
export const runJob = 'run'
export const prefillJob = 'prefill'

/** One request at the desk. */
export interface Visit {
  readonly scope: Scope
  readonly caller: Caller
  readonly planner: Planner
  readonly asked: Asked
  readonly resource: string
  readonly bounds: { readonly sessions: number; readonly lifetime: number }
}

/** What somebody is doing, and how far they are. */
interface Going {
  readonly id: string
  readonly offer: Offer
  readonly session: CommandSession
  readonly stages: readonly Stage[]
}

/**
 * Where ad-hoc commands are asked for: who may, at which stage they are, and what comes next (XEP-0050 §2.4, §3).
 *
 * Answers at once, or with undefined when a job will.
 */
export class Desk {
  readonly #offers: (caller: Caller) => readonly Offer[]
  readonly #log: ModuleLog

  constructor(offers: (caller: Caller) => readonly Offer[], log: ModuleLog) {
    this.#offers = offers
    this.#log = log
  }

  /** What the caller may run. */
  list(caller: Caller): readonly Offer[] {
    return this.#offers(caller).filter((offer) => offer.isFor(caller))
  }

  /**
   * @throws {StanzaError} `item-not-found`, or `feature-not-implemented` for one of XEP-0133; `forbidden` for those that
   * are for others
   */
  find(caller: Caller, node: string): Offer {
    const offer = this.#known(caller, node)
    if (!offer.isFor(caller)) throw new StanzaError('forbidden')
    return offer
  }

  /** Also where it is for others: somebody may have given up, by this very command, what it takes to run it. */
  #known(caller: Caller, node: string): Offer {
    const offer = this.#offers(caller).find((known) => known.node === node)
    // XEP-0133 §5
    const isAdministration = node.startsWith(`${NS_ADMIN}#`)
    if (!offer)
      throw new StanzaError(isAdministration ? 'feature-not-implemented' : 'item-not-found')
    return offer
  }

  /** @throws {StanzaError} as §4.4 names them */
  take(visit: Visit, request: CommandRequest): XmlElement | undefined {
    const offer = this.find(visit.caller, request.node)
    const stages = stagesOf(offer, visit.caller)
    if (request.sessionId === undefined) return this.#begin(visit, offer, stages, request.action)
    const { scope, resource, caller } = visit
    const wanted = { node: offer.node, host: caller.addressed, resource }
    const session = findSession(scope, request.sessionId, wanted)
    return this.#goOn(visit, { id: request.sessionId, offer, session, stages }, request)
  }

  #begin(
    visit: Visit,
    offer: Offer,
    stages: readonly Stage[],
    action: Action,
  ): XmlElement | undefined {
    if (action !== 'execute')
      throw commandError('bad-action', 'A command begins with the action execute.')
    const { scope, caller, resource, bounds } = visit
    const first = { node: offer.node, host: caller.addressed, resource }
    const steps = stages.length === 0 ? offer.steps({}, visit.planner, {}) : []
    const id = beginSession(scope, first, bounds)
    const session = { ...first, stage: 0, fields: [], filled: {}, running: false, at: scope.now }
    const going = { id, offer, session, stages }
    if (stages.length === 0) return this.#run(visit, going, runJob, steps)
    if (!offer.prefill) return this.#show(visit, going)
    return this.#run(visit, going, prefillJob, offer.prefill.steps(visit.planner))
  }

  #goOn(visit: Visit, going: Going, request: CommandRequest): XmlElement | undefined {
    const { id, offer, session, stages } = going
    const allowed = actionsAt(stages, session.stage)
    const action = request.action === 'execute' ? allowed[0] : request.action
    if (session.running) throw commandError('bad-action', 'The command is being run.')
    if (action === 'cancel') {
      endCommandSession(visit.scope, id)
      return commandElement({ node: offer.node, sessionId: id, status: 'canceled' })
    }
    if (action === undefined || !allowed.includes(action))
      throw commandError('bad-action', `Now there is ${[...allowed, 'cancel'].join(', ')}.`)
    if (action === 'prev') return this.#show(visit, this.#moved(going, session.stage - 1))
    return this.#submitted(visit, this.#filledIn(visit, going, request))
  }

  #moved(going: Going, stage: number): Going {
    return { ...going, session: { ...going.session, stage } }
  }

  /** Keeps what was asked for and nothing else, so that the kinds of the fields bound what is kept. */
  #filledIn({ caller }: Visit, going: Going, { form }: CommandRequest): Going {
    const { session, stages, offer } = going
    if (stages[session.stage] !== 'form') return going
    if (form && form.type !== 'submit') throw badPayload('The form has to be submitted.')
    const said = form?.fields.find((field) => field.var === 'FORM_TYPE')?.values[0]
    if (said !== undefined && offer.formType !== undefined && said !== offer.formType)
      throw badPayload(`The FORM_TYPE is ${offer.formType}.`)
    const asked = offer.fields(caller)
    const fields = (form?.fields ?? []).filter(({ var: name }) => Object.hasOwn(asked, name ?? ''))
    return { ...going, session: { ...session, fields } }
  }

  #submitted(visit: Visit, going: Going): XmlElement | undefined {
    const { offer, session, stages } = going
    const values = readValues(offer, visit.caller, session.fields)
    const steps = offer.steps(values, visit.planner, session.filled)
    if (session.stage < stages.length - 1)
      return this.#show(visit, this.#moved(going, session.stage + 1))
    return this.#run(visit, going, runJob, steps)
  }

  #show({ scope, caller, bounds }: Visit, going: Going): XmlElement {
    keepSession(scope, going.id, going.session, bounds.lifetime)
    return this.#form(caller, going)
  }

  #form(caller: Caller, { id, offer, session, stages }: Going): XmlElement {
    const stage = stages[session.stage] ?? 'form'
    return commandElement({
      node: offer.node,
      sessionId: id,
      status: 'executing',
      actions: actionsAt(stages, session.stage),
      payload: [stageForm(offer, caller, stage, session)],
    })
  }

  /** Notes the job; its answer is the request's. What was a password has become keys and is kept nowhere. */
  #run(visit: Visit, going: Going, job: string, steps: readonly Step[]): undefined {
    const { scope, asked, bounds, caller } = visit
    const { id, offer } = going
    const fields = hasSecret(offer, caller) ? [] : going.session.fields
    keepSession(scope, id, { ...going.session, fields, running: true }, bounds.lifetime)
    const source = Buffer.from(scope.random(18)).toString('base64url')
    const spec: ExecutionSpec = { job, sessionId: id, asked, steps, source }
    scope.job(moduleName, `${moduleName} ${id}`, spec)
    if (job === runJob) this.#log.info('command_asked', audit(asked, offer.node, steps))
    return undefined
  }

  /** The form can be shown. */
  prefilled(
    scope: Scope,
    spec: ExecutionSpec,
    outcomes: readonly Outcome[],
    visit: ReplyVisit,
  ): void {
    const { caller, lifetime } = visit
    const session = scope.get(commandSessionStore, spec.sessionId)
    if (!session) return
    const offer = this.#known(caller, session.node)
    const failed = outcomes.find((outcome) => !outcome.ok)
    if (failed) {
      endCommandSession(scope, spec.sessionId)
      return answerAsked(scope, spec.asked, refusal(failed, offer, spec))
    }
    const outputs = outcomes.map((outcome) => (outcome.ok ? outcome.output : undefined))
    const filled = offer.prefill?.values(outputs) ?? {}
    const next = { ...session, filled, running: false }
    keepSession(scope, spec.sessionId, next, lifetime)
    const stages = stagesOf(offer, caller)
    const going = { id: spec.sessionId, offer, session: next, stages }
    answerAsked(scope, spec.asked, this.#form(caller, going))
  }

  /** The steps were run. Nothing done at all: the form is still there to be mended. */
  completed(
    scope: Scope,
    spec: ExecutionSpec,
    outcomes: readonly Outcome[],
    visit: ReplyVisit,
  ): void {
    const { caller, lifetime } = visit
    const session = scope.get(commandSessionStore, spec.sessionId)
    const node = session?.node ?? ''
    const failed = outcomes.filter((outcome) => !outcome.ok)
    this.#log.info('command_done', {
      ...audit(spec.asked, node, spec.steps),
      failed: failed.map(({ code, about }) => `${code} ${about}`.trim()),
    })
    if (!session) return
    const offer = this.#known(caller, node)
    const [first] = failed
    if (first && failed.length === outcomes.length) {
      if (stagesOf(offer, caller).length === 0) endCommandSession(scope, spec.sessionId)
      else keepSession(scope, spec.sessionId, { ...session, running: false }, lifetime)
      return answerAsked(scope, spec.asked, refusal(first, offer, spec))
    }
    endCommandSession(scope, spec.sessionId)
    answerAsked(scope, spec.asked, completion(offer, caller, { session, spec, outcomes }))
  }
}

/** What the answer of a job needs to know. */
export interface ReplyVisit {
  readonly caller: Caller
  readonly lifetime: number
}

interface Finished {
  readonly session: CommandSession
  readonly spec: ExecutionSpec
  readonly outcomes: readonly Outcome[]
}

function refusal(
  failed: Extract<Outcome, { ok: false }>,
  { node }: Offer,
  { sessionId }: ExecutionSpec,
): StanzaError {
  return asStanzaError(failed).withEcho(commandEcho(node, sessionId))
}

function completion(offer: Offer, caller: Caller, finished: Finished): XmlElement {
  const { session, spec, outcomes } = finished
  const outputs = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.output] : []))
  const { payload, notes = [] } = offer.complete(outputs, valuesOf(offer, caller, session))
  // §3.6: what failed is said, though the command as such is completed.
  const errors = outcomes.flatMap((outcome): Note[] =>
    outcome.ok ? [] : [{ type: 'error', text: `${outcome.about}: ${outcome.message}` }],
  )
  return commandElement({
    node: offer.node,
    sessionId: spec.sessionId,
    status: 'completed',
    payload,
    notes: [...notes, ...errors],
  })
}

/** Where a password was among them, what was said is not kept. */
function valuesOf(offer: Offer, caller: Caller, { fields }: CommandSession): Values {
  return fields.length > 0 ? readValues(offer, caller, fields) : {}
}

function hasSecret(offer: Offer, caller: Caller): boolean {
  return Object.values(offer.fields(caller)).some(({ kind }) => kind.type === 'text-private')
}

/** Who, what, about whom; never what they said. */
function audit(
  { from, to }: { readonly from: FullJid; readonly to: string },
  node: string,
  steps: readonly Step[],
): Readonly<Record<string, unknown>> {
  const commands = [...new Set(steps.map(({ command }) => command))]
  const about = [...new Set(steps.map((step) => step.about))].filter((text) => text !== '')
  return { by: from, host: to, node, commands, about }
}
