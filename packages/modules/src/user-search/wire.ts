import { StanzaError } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import { type Card, fieldNames } from './store.ts'

/** XEP-0055 §7.1. */
export const NS_SEARCH = 'jabber:iq:search'
/** XEP-0077 §14: how somebody gets into a directory (XEP-0055 §1). */
export const NS_REGISTER = 'jabber:iq:register'

/** Characters of one field. */
const maxLength = 255

/** What can be filled in; for those who are in the directory, with what it has of them. */
export function fieldsElement(xmlns: string, instructions: string, card?: Card): XmlElement {
  return xml('query', { xmlns }, [
    xml('instructions', {}, instructions),
    ...(card ? [xml('registered')] : []),
    ...fieldNames.map((name) => xml(name, {}, card?.[name] ?? '')),
  ])
}

/**
 * The fields that were filled in.
 *
 * @throws {StanzaError} `bad-request` when there is none; `not-acceptable` for one that is too long
 */
export function readFields(query: XmlElement): Partial<Card> {
  const filled = fieldNames.flatMap((name) => {
    const text = query.getChildText(name)?.trim()
    if (!text) return []
    if (text.length > maxLength)
      throw new StanzaError('not-acceptable', `A field may have ${maxLength} characters.`)
    return [[name, text] as const]
  })
  if (filled.length === 0) throw new StanzaError('bad-request', 'Fill in a field.')
  return Object.fromEntries(filled)
}

/** Somebody who was found (§2.1). */
export function itemElement(jid: string, card: Card): XmlElement {
  return xml(
    'item',
    { jid },
    fieldNames.flatMap((name) => (card[name] === '' ? [] : xml(name, {}, card[name]))),
  )
}
