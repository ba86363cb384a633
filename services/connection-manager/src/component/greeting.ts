import type { ComponentPermissions } from '@tactus/bus'
import { NS_COMPONENT } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'

const NS_PRIVILEGE = 'urn:xmpp:privilege:2'

/** What a component is told that it may do, once it has proved its domain (XEP-0356 §4.2); undefined for nothing. */
export function privilegesMessage(
  permissions: ComponentPermissions | undefined,
  addresses: { readonly from: string; readonly to: string; readonly id: string },
): XmlElement | undefined {
  if (!permissions) return undefined
  const perms = permsOf(permissions)
  if (perms.length === 0) return undefined
  const privilege = xml('privilege', { xmlns: NS_PRIVILEGE }, perms)
  return xml('message', { xmlns: NS_COMPONENT, ...addresses }, privilege)
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
