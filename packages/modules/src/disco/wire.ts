import type { DiscoItem, Identity } from '@tactus/core'
import { NS_DISCO_INFO, NS_DISCO_ITEMS } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'

/** What a disco#info answer says. */
export interface Info {
  readonly identities: readonly Identity[]
  readonly features: readonly string[]
  readonly forms: readonly XmlElement[]
}

/** The answer to disco#info (XEP-0030 §3.1), with the extension forms of XEP-0128. */
export function infoElement({ identities, features, forms }: Info, node?: string): XmlElement {
  return xml(
    'query',
    { xmlns: NS_DISCO_INFO, node },
    identities.map(({ category, type, name }) => xml('identity', { category, type, name })),
    features.map((feature) => xml('feature', { var: feature })),
    forms,
  )
}

/** The answer to disco#items (XEP-0030 §4.1); `page` is the XEP-0059 summary where one was asked for. */
export function itemsElement(
  items: readonly DiscoItem[],
  {
    node,
    page,
  }: { readonly node?: string | undefined; readonly page?: XmlElement | undefined } = {},
): XmlElement {
  return xml(
    'query',
    { xmlns: NS_DISCO_ITEMS, node },
    items.map((item) => xml('item', { jid: item.jid, node: item.node, name: item.name })),
    page,
  )
}
