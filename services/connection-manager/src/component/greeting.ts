import type { ComponentDelegations, ComponentPermissions, ComponentSummary } from '@tactus/bus'
import { NS_COMPONENT } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'

const NS_PRIVILEGE = 'urn:xmpp:privilege:2'

const NS_DELEGATION = 'urn:xmpp:delegation:2'

/** What a component is told once it has proved its domain: what it may do (XEP-0356 §4.2) and what it manages (XEP-0355 §4.2). */
export function greetingOf(
  component: Pick<ComponentSummary, 'permissions' | 'delegations'> | undefined,
  addresses: () => { readonly from: string; readonly to: string; readonly id: string },
): readonly XmlElement[] {
  const { permissions, delegations } = component ?? {}
  return [permissions && privilegeOf(permissions), delegations && delegationOf(delegations)]
    .filter((told) => told !== undefined)
    .map((told) => xml('message', { xmlns: NS_COMPONENT, ...addresses() }, told))
}

function delegationOf(delegations: ComponentDelegations): XmlElement {
  const delegated = Object.entries(delegations).map(([namespace, attributes]) =>
    xml(
      'delegated',
      { namespace },
      attributes.map((name) => xml('attribute', { name })),
    ),
  )
  return xml('delegation', { xmlns: NS_DELEGATION }, delegated)
}

function privilegeOf(permissions: ComponentPermissions): XmlElement | undefined {
  const perms = permsOf(permissions)
  return perms.length > 0 ? xml('privilege', { xmlns: NS_PRIVILEGE }, perms) : undefined
}

function permsOf({ roster, push, message, presence, iq }: ComponentPermissions): XmlElement[] {
  const perms: XmlElement[] = []
  if (roster !== 'none') {
    const isTold = push && roster !== 'set'
    perms.push(xml('perm', { access: 'roster', type: roster, push: String(isTold) }))
  }
  if (message !== 'none') perms.push(xml('perm', { access: 'message', type: message }))
  const namespaces = Object.entries(iq).filter(([, type]) => type !== 'none')
  if (namespaces.length > 0)
    perms.push(
      xml(
        'perm',
        { access: 'iq' },
        namespaces.map(([ns, type]) => xml('namespace', { ns, type })),
      ),
    )
  if (presence !== 'none') perms.push(xml('perm', { access: 'presence', type: presence }))
  return perms
}
