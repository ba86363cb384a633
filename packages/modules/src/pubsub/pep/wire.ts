import { NS_CLIENT } from '@tactus/stanza'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'

/**
 * What this server's accounts say to each other so that notifications cost one frame a contact: who publishes does not
 * know what the contacts' clients want, their own account does. No client needs to know of it.
 */
const NS_PEP_RELAY = 'urn:tactus:pep:0'

const NS_AGO = 'urn:xmpp:ago:0'
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

/** What accounts here say to each other, in what looks like an answer. */
export function relayedIn(answer: Stanza): XmlElement | undefined {
  const [child] = answer.children
  return child?.ns === NS_PEP_RELAY ? answer.child(child.name, child.ns) : undefined
}

/** Tells a contact's account which nodes a resource that has come wants the last items of. */
export function arrival(
  names: readonly string[],
  {
    from,
    id,
    ago,
  }: { readonly from: string; readonly id: string; readonly ago: number | undefined },
): XmlElement {
  const nodes = names.map((name) => xml('node', { name }))
  return xml(
    'iq',
    { xmlns: NS_CLIENT, type: 'result', from, id },
    xml('arrived', { xmlns: NS_PEP_RELAY, ago: ago?.toString() }, nodes),
  )
}

/** The names in an arrival, and how long ago the resource was there before. */
export function readArrival(element: XmlElement): {
  readonly names: readonly string[]
  readonly ago: number | undefined
} {
  const all = element.getChildren('node', NS_PEP_RELAY).map(({ attrs }) => attrs.name ?? '')
  const names = [...new Set(all)].filter((name) => name !== '').slice(0, mostNames)
  return { names, ago: readSeconds(element.attrs.ago) }
}

/** How many seconds ago a resource says that it was there before (XEP-0312 §2). */
export function agoIn(presence: Stanza): number | undefined {
  return readSeconds(presence.child('ago', NS_AGO)?.attrs.secs)
}

function readSeconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined
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
