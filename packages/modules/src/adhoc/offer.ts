import type { CommandCaller } from '@tactus/core'
import type { FormDefinition } from '@tactus/stanza'
import type { XmlElement } from '@tactus/xml'
import type { Note } from './wire.ts'

/** Who runs a command in-band, and where. */
export interface Caller extends CommandCaller {
  /** The host that was addressed; `host` is undefined where the caller does not administer this one. */
  readonly addressed: string
}

/** One command of the registry to be run, its input as it travels: no secret but derived keys. */
export interface Step {
  readonly command: string
  readonly input: unknown
  /** What it is about, for the log and for notes. */
  readonly about: string
}

/** How a step went. */
export type Outcome =
  | { readonly ok: true; readonly about: string; readonly output: unknown }
  | {
      readonly ok: false
      readonly about: string
      readonly code: string
      readonly message: string
    }

/** Values of a form by field name. */
export type Values = Readonly<Record<string, unknown>>

/** What a submission is turned into steps with. */
export interface Planner {
  readonly caller: Caller
  /**
   * A step of this command.
   *
   * @param given as the command's own form has it
   * @throws {StanzaError} `forbidden`, or `bad-request` with `<bad-payload/>` saying what is allowed
   */
  step(command: string, given: Values): Step
}

/** What a command answers with once it ran. */
export interface Completion {
  readonly payload: readonly XmlElement[]
  readonly notes?: readonly Note[]
}

/** An ad-hoc command as somebody finds it here (XEP-0050 §2): a form, what is run with it, and what comes of that. */
export interface Offer {
  readonly node: string
  readonly title: string
  readonly instructions: string
  /** XEP-0068; undefined where the form is for people. */
  readonly formType: string | undefined
  /** It destroys what cannot be had back: a stage more, which asks whether that is meant. */
  readonly irreversible: boolean
  isFor(caller: Caller): boolean
  /** What is asked; a command without fields runs at once. */
  fields(caller: Caller): FormDefinition
  defaults(caller: Caller): Values
  /** What is looked up before the form can be shown. */
  readonly prefill?: {
    steps(planner: Planner): readonly Step[]
    values(outputs: readonly unknown[]): Values
  }
  /** `filled`: what the form was filled in with before anybody saw it. */
  steps(values: Values, planner: Planner, filled: Values): readonly Step[]
  /** Of the steps that went well; those that did not are told by notes. */
  complete(outputs: readonly unknown[], values: Values): Completion
}
