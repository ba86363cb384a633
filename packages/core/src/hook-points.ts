import type { BareJid, Jid } from '@tactus/jid'
import type { RosterItem } from '@tactus/storage'
import type { Stanza } from '@tactus/xml'
import type { HeldLimits } from './held.ts'
import type { IqRequest } from './module.ts'
import type { Scope, Session, SessionPresence } from './scope.ts'

/*
 * The list of all hooks. Adding one is a reviewed act.
 *
 * Facts are past tense: many observers, no verdict; one that throws fails the whole input, so nothing half-done is seen.
 * Decisions are questions: the first refusal wins, refuse by throwing StanzaError; they fail closed.
 * Rewrites are present participles: they return the stanza that goes on, and only they may change one.
 * Duties belong to exactly one module: a second claim is refused at boot.
 */
/** Where modules take part without a say of their own over the stanza: facts and decisions. */
export interface HookPoints extends Facts, Decisions {}

/** Something happened. */
export interface Facts {
  /** A resource was bound (RFC 6120 §7). */
  'session.bound': { readonly scope: Scope; readonly session: Session }
  /** A session lost its connection and waits to be resumed (XEP-0198 §5); what it did not acknowledge is in its queue. */
  'session.hibernated': { readonly scope: Scope; readonly session: Session }
  /** A session was taken up again, after hibernation or straight from another connection. */
  'session.resumed': { readonly scope: Scope; readonly session: Session }
  /** A session ended for good: closed, expired, kicked. `presence` is what it last had. */
  'session.ended': {
    readonly scope: Scope
    readonly session: Session
    readonly presence: SessionPresence | undefined
  }
  /** A message of this account passed its first half and is on its way; `id` is its stanza-id. */
  'message.sent': {
    readonly scope: Scope
    readonly session: Session
    readonly message: Stanza
    readonly id: string
  }
  /** A message reached this account; `reached` got it live (RFC 6121 §8.5), `stored` says that it waits in the mailbox. */
  'message.received': {
    readonly scope: Scope
    readonly message: Stanza
    readonly id: string
    readonly reached: readonly Session[]
    readonly stored: boolean
  }
  /** A message of this account went into its archive, once, under `id`; `owner` names the archive, `peer` the other side. */
  'message.archived': {
    readonly scope: Scope
    readonly message: Stanza
    readonly id: string
    readonly owner: string
    readonly peer: BareJid
    readonly incoming: boolean
  }
  /** One of the account's clients said that it displayed a chat up to the message of this stanza-id (XEP-0490). */
  'chat.displayed': { readonly scope: Scope; readonly peer: BareJid; readonly id: string }
  /**
   * Presence of any type, for the account or a resource of it, came in and was dealt with. The stanza itself may not say
   * whom it is for.
   */
  'presence.received': { readonly scope: Scope; readonly from: Jid; readonly presence: Stanza }
  /** A resource sent initial, changed or unavailable presence without `to`; runs after the broadcast. */
  'presence.changed': {
    readonly scope: Scope
    readonly session: Session
    readonly before: SessionPresence | undefined
    readonly after: SessionPresence | undefined
    /** What a resource said in leaving. */
    readonly unavailable: Stanza | undefined
  }
  /** A session acknowledged the last it was sent of the mailbox: there is room for more. */
  'session.drained': { readonly scope: Scope; readonly session: Session }
  /** A roster item of this account was added, changed or removed; `before` is what it was. */
  'roster.changed': {
    readonly scope: Scope
    readonly contact: BareJid
    readonly before: RosterItem | undefined
  }
  /**
   * An answer, result or error, reached the account itself. What it answers is for the observer to know: it compares
   * `id` and `from` with what it asked, as anybody can send such a thing.
   */
  'iq.answered': { readonly scope: Scope; readonly from: Jid; readonly answer: Stanza }
  /**
   * The account is about to shut these addresses out (XEP-0191 §3.3); a domain stands for everybody there. Presence that
   * they still believe in is taken back now: afterwards `recipient.may-hear` refuses them. `by`: the module that did it.
   */
  'addresses.blocked': {
    readonly scope: Scope
    readonly addresses: readonly Jid[]
    readonly by: string
  }
  /** The account let these addresses in again (XEP-0191 §3.4). */
  'addresses.unblocked': {
    readonly scope: Scope
    readonly addresses: readonly Jid[]
    readonly by: string
  }
  /**
   * A resource is about to be hidden from those for whom `from` holds: presence that they still believe in is taken back
   * now, as with `addresses.blocked`.
   */
  'session.hidden': {
    readonly scope: Scope
    readonly session: Session
    readonly from: (jid: Jid) => boolean
  }
  /** Those for whom `to` holds may see a resource again that was hidden from them. */
  'session.shown': {
    readonly scope: Scope
    readonly session: Session
    readonly to: (jid: Jid) => boolean
  }
  /**
   * A resource became invisible to all (XEP-0186), or asks for presence of others now and did not `before`; those that knew
   * of it were told.
   */
  'session.concealed': {
    readonly scope: Scope
    readonly session: Session
    readonly before: Session['invisible']
  }
  'account.created': { readonly scope: Scope }
  /** The account is going: modules clear what they keep for it. Contacts were told already. */
  'account.deleted': { readonly scope: Scope }
}

/** May it? */
export interface Decisions {
  /** May this stanza leave the account (blocking, privacy, policy)? Runs after `from` was stamped. */
  'stanza.may-send': { readonly scope: Scope; readonly session: Session; readonly stanza: Stanza }
  /**
   * May this stanza reach the account, or the resource that `to` names? Refusals become the error that RFC 6121 and the XEP
   * ask for, or none at all where a SilentRefusal is thrown. The stanza itself may not say whom it is for.
   */
  'stanza.may-receive': {
    readonly scope: Scope
    readonly from: Jid
    readonly to: Jid
    readonly stanza: Stanza
  }
  /**
   * May this address get what the server sends to many in the account's name, such as presence and probes? Asked for each
   * of them; who is refused is left out, and nobody is told.
   */
  'recipient.may-hear': { readonly scope: Scope; readonly to: Jid; readonly stanza: Stanza }
  /**
   * May this resource get what came for the whole account? Asked for each of them after `stanza.may-receive`; who is
   * refused is left out, and nobody is told.
   */
  'resource.may-get': {
    readonly scope: Scope
    readonly session: Session
    readonly stanza: Stanza
  }
  /**
   * Somebody asks an account that does not exist. Who answers strangers of existing accounts in words of its own throws
   * the same here, so that nobody finds out which exist; else it is `service-unavailable`.
   */
  'account.missing': { readonly scope: Scope; readonly from: Jid; readonly stanza: Stanza }
  /** May this message wait in the mailbox for a resource that is not there (flood limits, XEP-0160)? */
  'message.may-wait': { readonly scope: Scope; readonly message: Stanza }
  /**
   * May this be held back from a resource whose client is inactive (XEP-0352)? Asked where `delivery.inactive` would hold
   * it; who refuses has it delivered at once, behind all that was held back before. Nobody is told.
   */
  'delivery.may-wait': {
    readonly scope: Scope
    readonly session: Session
    readonly stanza: Stanza
  }
}

/** What changes a stanza on its way. */
export interface Rewrites {
  /** First half of a message: stamps of the sender's server. */
  'message.sending': { readonly scope: Scope; readonly session: Session; readonly id: string }
  /** First half of available presence, broadcast or directed: what the sender's server says of the account. */
  'presence.sending': { readonly scope: Scope; readonly session: Session }
  /** Second half: stamps of the recipient's server (stanza-id), removal of forgeries. */
  'message.receiving': { readonly scope: Scope; readonly id: string }
}

/** How long and for what a stanza may be held back. */
export interface WaitingTerms {
  /** An older one that is held back and about the same is dropped; undefined where each one counts. */
  readonly about: string | undefined
  /** A full list is delivered, the stanza that found it full included. */
  readonly limits: HeldLimits
}

/** What exactly one module does. */
export interface Duties {
  /** Presence that a resource of this account sent (RFC 6121 §3, §4). `from` is stamped. */
  'presence.outbound': {
    readonly scope: Scope
    readonly session: Session
    readonly presence: Stanza
  }
  /** Presence for this account from elsewhere, to its bare or a full JID. */
  'presence.inbound': {
    readonly scope: Scope
    readonly from: Jid
    readonly to: Jid
    readonly presence: Stanza
  }
  /** A message for the host itself, from another entity. Refuse by throwing StanzaError; without a module all are refused. */
  'message.to-host': { readonly scope: Scope; readonly from: Jid; readonly message: Stanza }
  /**
   * A request that this server is about to answer, for an account or for a host. With `takeOver` nothing handles it here:
   * the module answers it, later. Refuse by throwing StanzaError.
   */
  'request.answering': { readonly request: IqRequest; takeOver(): void }
  /**
   * A stanza is on its way to a resource whose client is inactive (XEP-0352). With `wait` it is held back; without, or
   * where no module does this, it goes out at once, behind all that was held back before. What throws fails the input.
   */
  'delivery.inactive': {
    readonly scope: Scope
    readonly session: Session
    readonly stanza: Stanza
    wait(terms: WaitingTerms): void
  }
}
