// Only those with more than one user; a feature's own namespaces live in its module.

/** Content namespace of streams between a client and its server (RFC 6120 §4.8.3). */
export const NS_CLIENT = 'jabber:client'
/** Content namespace of streams between servers (RFC 6120 §4.8.3). */
export const NS_SERVER = 'jabber:server'
/** Server dialback (XEP-0220). */
export const NS_DIALBACK = 'jabber:server:dialback'
/** What a stream offers of dialback (XEP-0220 §2.4). */
export const NS_DIALBACK_FEATURE = 'urn:xmpp:features:dialback'
/** Stanzas in both directions of a stream between servers (XEP-0288). */
export const NS_BIDI = 'urn:xmpp:bidi'
/** What a stream offers of that (XEP-0288 §2.1). */
export const NS_BIDI_FEATURE = 'urn:xmpp:features:bidi'
/** Content namespace of streams from components (XEP-0114). */
export const NS_COMPONENT = 'jabber:component:accept'
/** Conditions of stanza errors (RFC 6120 §8.3.2). */
export const NS_STANZA_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
/** Conditions of stream errors (RFC 6120 §4.9.2). */
export const NS_STREAM_ERRORS = 'urn:ietf:params:xml:ns:xmpp-streams'
/** STARTTLS (RFC 6120 §5). */
export const NS_TLS = 'urn:ietf:params:xml:ns:xmpp-tls'
/** SASL (RFC 6120 §6). */
export const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
/** Resource binding (RFC 6120 §7). */
export const NS_BIND = 'urn:ietf:params:xml:ns:xmpp-bind'
/** Session establishment of RFC 3921, which old clients still ask for. */
export const NS_SESSION = 'urn:ietf:params:xml:ns:xmpp-session'
/** Client state indication (XEP-0352). */
export const NS_CLIENT_STATE = 'urn:xmpp:csi:0'
/** Rosters (RFC 6121 §2). */
export const NS_ROSTER = 'jabber:iq:roster'
/** Stream management (XEP-0198). */
export const NS_STREAM_MANAGEMENT = 'urn:xmpp:sm:3'
/** Delayed delivery (XEP-0203). */
export const NS_DELAY = 'urn:xmpp:delay'
/** Unique and stable stanza ids (XEP-0359). */
export const NS_STANZA_IDS = 'urn:xmpp:sid:0'
/** Ad-hoc commands (XEP-0050). */
export const NS_COMMANDS = 'http://jabber.org/protocol/commands'
/** Public subscriptions (XEP-0465). */
export const NS_PUBLIC_SUBSCRIPTIONS = 'urn:xmpp:pps:0'
/** Data forms (XEP-0004). */
export const NS_DATA_FORMS = 'jabber:x:data'
/** Validation of the fields of data forms (XEP-0122). */
export const NS_FORM_VALIDATION = 'http://jabber.org/protocol/xdata-validate'
/** In which order results are wanted (XEP-0413). */
export const NS_ORDER = 'urn:xmpp:order-by:1'
/** Result set management (XEP-0059). */
export const NS_RSM = 'http://jabber.org/protocol/rsm'
/** Stanza forwarding (XEP-0297). */
export const NS_FORWARD = 'urn:xmpp:forward:0'
/** Message processing hints (XEP-0334). */
export const NS_HINTS = 'urn:xmpp:hints'
/** What a service offers (XEP-0030). */
export const NS_DISCO_INFO = 'http://jabber.org/protocol/disco#info'
/** What belongs to a service (XEP-0030). */
export const NS_DISCO_ITEMS = 'http://jabber.org/protocol/disco#items'
