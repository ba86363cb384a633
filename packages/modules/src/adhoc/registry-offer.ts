import { type CommandDefinition, mayEverRun } from '@tactus/core'
import type { FormDefinition } from '@tactus/stanza'
import { type CommandField, fieldsOf } from './command-form.ts'
import type { Caller, Offer, Values } from './offer.ts'
import { outputForms } from './output-forms.ts'

/** A command of the registry as an ad-hoc command: its form made from its schema, its answer from what it returns. */
export function registryOffer(command: CommandDefinition): Offer {
  const fields = fieldsOf(command)
  const title = command.name.charAt(0).toUpperCase() + command.name.slice(1)
  return {
    node: `tactus#${command.name.replaceAll(' ', '-')}`,
    title,
    instructions: command.summary,
    formType: undefined,
    irreversible: command.irreversible === true,
    isFor: (caller) => mayEverRun(command, caller),
    fields: (caller): FormDefinition =>
      Object.fromEntries(
        fields
          .filter(({ own }) => ownValue(own, caller) === undefined)
          .map(({ name, definition }) => [name, definition]),
      ),
    defaults: (caller) => defaultsOf(fields, caller),
    steps: (values, planner) => {
      const own = ownValues(fields, planner.caller)
      return [planner.step(command.name, { ...values, ...own })]
    },
    complete: ([output]) => outputForms(title, output),
  }
}

function defaultsOf(fields: readonly CommandField[], caller: Caller): Values {
  const values = fields.map(({ name, own, default: value }): [string, unknown] => [
    name,
    own === 'host' ? caller.addressed : value,
  ])
  return Object.fromEntries(values.filter(([, value]) => value !== undefined))
}

function ownValues(fields: readonly CommandField[], caller: Caller): Values {
  const values = fields.map(({ name, own }) => [name, ownValue(own, caller)] as const)
  return Object.fromEntries(values.filter(([, value]) => value !== undefined))
}

/** What is not asked for, because there is one answer only. */
function ownValue(own: CommandField['own'], caller: Caller): string | undefined {
  if (caller.cluster) return undefined
  if (own === 'account') return caller.host === undefined ? caller.account : undefined
  return own === 'host' ? caller.addressed : undefined
}
