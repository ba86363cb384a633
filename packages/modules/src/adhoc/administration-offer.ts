import type { CommandDefinition } from '@tactus/core'
import type { FieldDefinition, FormDefinition, FormField } from '@tactus/stanza'
import type { XmlElement } from '@tactus/xml'
import type { Caller, Completion, Offer, Planner, Step, Values } from './offer.ts'
import { badPayload, resultElement } from './wire.ts'

/** XEP-0133 §8.1: prefix of the nodes, and the FORM_TYPE of all forms. */
export const NS_ADMIN = 'http://jabber.org/protocol/admin'

/** Most accounts that one submission is about: each is a command of its own. */
const mostAccounts = 100

/** What a command of XEP-0133 has of its own. */
export interface Administration {
  /** What follows `#` in its node. */
  readonly node: string
  readonly title: string
  readonly instructions: string
  /** Commands of the registry that do it; where one is not there, it is not offered. */
  readonly needs: readonly string[]
  /** Only for who administers the whole cluster. */
  readonly cluster?: boolean
  readonly fields?: FormDefinition
  readonly prefill?: Offer['prefill']
  steps(values: Values, planner: Planner, filled: Values): readonly Step[]
  complete?(outputs: readonly unknown[], values: Values): Completion
}

/** A command of XEP-0133 as it is found and run. */
export function administrationOffer(definition: Administration): Offer {
  const { node, title, instructions, fields = {}, prefill, steps, complete, cluster } = definition
  return {
    node: `${NS_ADMIN}#${node}`,
    title,
    instructions,
    formType: NS_ADMIN,
    // Tools know these forms: a stage that asks whether they are meant would stop them.
    irreversible: false,
    isFor: (caller) => caller.cluster || (cluster !== true && caller.host !== undefined),
    fields: () => fields,
    defaults: () => ({}),
    ...(prefill && { prefill }),
    steps,
    complete: complete ?? (() => ({ payload: [] })),
  }
}

/** Those of which everything that they need is there. */
export function available(
  all: readonly Administration[],
  commands: readonly CommandDefinition[],
): readonly Administration[] {
  const names = new Set(commands.map(({ name }) => name))
  return all.filter(({ needs }) => needs.every((name) => names.has(name)))
}

/** A result of these fields, in the words of XEP-0133 §8.2. */
export function resultOf(fields: readonly FormField[]): XmlElement {
  return resultElement({
    fields: [{ var: 'FORM_TYPE', type: 'hidden', values: [NS_ADMIN] }, ...fields],
  })
}

/** One step for each account of a field that names several. */
export function forEach(
  values: Values,
  name: string,
  step: (jid: string) => Step,
): readonly Step[] {
  const jids = (values[name] ?? []) as readonly string[]
  if (jids.length > mostAccounts)
    throw badPayload(`The value of ${name} is invalid: at most ${mostAccounts} are expected.`)
  return jids.map(step)
}

/** A field that has to be filled in. */
export function required<T>(field: FieldDefinition<T>): FieldDefinition<T> {
  return { ...field, required: true }
}

/** The host that is administered: the one that was addressed. */
export function hostOf({ addressed }: Caller): { readonly host: string } {
  return { host: addressed }
}
