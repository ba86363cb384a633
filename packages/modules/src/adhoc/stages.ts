import {
  type DataForm,
  type FormField,
  formElement,
  missingFields,
  offerForm,
  readSubmission,
  StanzaError,
} from '@tactus/stanza'
import type { XmlElement } from '@tactus/xml'
import type { Caller, Offer, Values } from './offer.ts'
import type { CommandSession } from './session.ts'
import { type Action, badPayload } from './wire.ts'

/** A step that somebody takes in a command: filling in its form, saying that it is meant. */
export type Stage = 'form' | 'confirm'

/** The stages of a command, for who runs it; none where it asks for nothing. */
export function stagesOf(offer: Offer, caller: Caller): readonly Stage[] {
  const asks = Object.keys(offer.fields(caller)).length > 0
  return [...(asks ? ['form' as const] : []), ...(offer.irreversible ? ['confirm' as const] : [])]
}

/** What may be done at a stage besides leaving off (XEP-0050 §3.4), first what `execute` stands for. */
export function actionsAt(stages: readonly Stage[], stage: number): readonly Action[] {
  const onward: Action = stage < stages.length - 1 ? 'next' : 'complete'
  return stage > 0 ? [onward, 'prev'] : [onward]
}

/** The form of a stage, with what was said before. */
export function stageForm(
  offer: Offer,
  caller: Caller,
  stage: Stage,
  session: Pick<CommandSession, 'fields' | 'filled'>,
): XmlElement {
  return stage === 'form'
    ? formElement(questionForm(offer, caller, session))
    : formElement(confirmForm(offer, session.fields))
}

function questionForm(
  offer: Offer,
  caller: Caller,
  { fields, filled }: Pick<CommandSession, 'fields' | 'filled'>,
): DataForm {
  const definition = offer.fields(caller)
  const form = offerForm(offer.formType, definition, { ...offer.defaults(caller), ...filled })
  const said = new Map(fields.map((field) => [field.var, field.values]))
  return {
    ...form,
    title: offer.title,
    instructions: [offer.instructions],
    fields: form.fields.map((field) => ({ ...field, values: said.get(field.var) ?? field.values })),
  }
}

/** Nothing is asked: to complete it is the answer. */
function confirmForm(offer: Offer, fields: readonly FormField[]): DataForm {
  const said = fields
    .filter(({ values, var: name }) => name !== 'FORM_TYPE' && values.length > 0)
    .map(
      (field): FormField => ({
        type: 'fixed',
        values: [`${field.var}: ${field.values.join(', ')}`],
      }),
    )
  return {
    type: 'form',
    title: offer.title,
    instructions: [`${offer.instructions} This cannot be undone. Complete it if you mean it.`],
    fields: said,
  }
}

/**
 * The values of a submission.
 *
 * Clients send fields that were left empty with an empty value; where nothing has to be said, that is nothing.
 * @throws {StanzaError} `bad-request` with `<bad-payload/>`: the first field that does not fit and what is allowed, or
 *   all that are missing
 */
export function readValues(offer: Offer, caller: Caller, submitted: readonly FormField[]): Values {
  const definition = offer.fields(caller)
  const fields = submitted.filter(({ values }) => values.some((value) => value !== ''))
  try {
    const values = readSubmission({ type: 'submit', fields }, offer.formType, definition)
    const missing = missingFields(definition, values)
    if (missing.length > 0) throw badPayload(`Required and missing: ${missing.join(', ')}.`)
    return values
  } catch (error) {
    if (error instanceof StanzaError && error.application === undefined)
      throw badPayload(error.text ?? error.condition)
    throw error
  }
}
