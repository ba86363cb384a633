import { z } from 'zod'

/** XEP-0355 §7.2.4 and §7.2.5: what stands for discovery of nodes, which is no namespace of its own. */
const discovery = [
  'urn:xmpp:delegation:2:bare:disco#info:*',
  'urn:xmpp:delegation:2:bare:disco#items:*',
]

/**
 * What a stream and its session live by, and what would give a component to itself. Those that end in `:` or `/` stand for
 * all that begins so.
 */
const kept = [
  'jabber:client',
  'jabber:server',
  'jabber:component:',
  'jabber:iq:auth',
  'http://etherx.jabber.org/',
  'http://jabber.org/protocol/disco#info',
  'http://jabber.org/protocol/disco#items',
  'urn:ietf:params:xml:ns:',
  'urn:xmpp:sasl:',
  'urn:xmpp:bind:',
  'urn:xmpp:sm:',
  'urn:xmpp:forward:',
  'urn:xmpp:privilege:',
  // §8, rule 5
  'urn:xmpp:delegation:',
]

function isKept(namespace: string): boolean {
  return kept.some((name) => (/[:/]$/.test(name) ? namespace.startsWith(name) : namespace === name))
}

/** A namespace of requests that may be somebody else's to answer (XEP-0355 §4.1). */
export const delegableNamespace = z
  .string()
  .regex(/^[^\s"'<>&]{1,255}$/u, 'a namespace of requests such as urn:xmpp:mam:2')
  .refine((namespace) => discovery.includes(namespace) || !isKept(namespace), {
    error: ({ input }) =>
      `${String(input)} is never delegated; namespaces of requests such as urn:xmpp:mam:2 may be, and ${discovery.join(' and ')}`,
  })

/** The name of an attribute without namespace. */
export const attributeName = z
  .string()
  .regex(/^[A-Za-z_][\w.-]{0,63}$/u, 'the name of an attribute such as node')
