/** XEP-0199 §7. */
export const NS_PING = 'urn:xmpp:ping'
