import { NS_CLIENT } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'

/**
 * What this server's accounts say to each other so that notifications cost one frame a contact: who publishes does not
 * know what the contacts' clients want, their own account does. No client needs to know of it.
 */
export const NS_PEP_RELAY = 'urn:tactus:pep:0'

const mostNames = 100
const longestName = 512

/** Carries a notification to a contact's account, which hands it to the resources that want it. */
export function relay(
  message: XmlElement,
  { from, id }: { readonly from: string; readonly id: string },
): XmlElement {
  // A result is never answered, so that nothing comes back from who is not there or does not want it.
  return xml(
    'iq',
    { xmlns: NS_CLIENT, type: 'result', from, id },
    xml('notify', { xmlns: NS_PEP_RELAY }, message),
  )
}

/** Tells a contact's account which nodes a resource that has come wants the last items of. */
export function arrival(
  names: readonly string[],
  { from, id }: { readonly from: string; readonly id: string },
): XmlElement {
  const nodes = names.map((name) => xml('node', { name }))
  return xml(
    'iq',
    { xmlns: NS_CLIENT, type: 'result', from, id },
    xml('arrived', { xmlns: NS_PEP_RELAY }, nodes),
  )
}

/** The names in an arrival. */
export function readArrival(element: XmlElement): readonly string[] {
  const names = element.getChildren('node', NS_PEP_RELAY).map(({ attrs }) => attrs.name ?? '')
  return [...new Set(names)].filter((name) => name !== '').slice(0, mostNames)
}

/** Node names that a disco#info answer wants notifications of (XEP-0060 §9.2). */
export function interestsIn(query: XmlElement): readonly string[] {
  const names = query
    .getChildren('feature')
    .map(({ attrs }) => attrs.var ?? '')
    .filter((name) => name.endsWith('+notify') && name.length <= longestName)
    .map((name) => name.slice(0, -'+notify'.length))
  return [...new Set(names)].slice(0, mostNames)
}
