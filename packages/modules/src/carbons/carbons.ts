import {
  defineModule,
  requireOwn,
  type Scope,
  type Session,
  type XmppModule,
  xep,
} from '@tactus/core'
import { bare, tryParseJid } from '@tactus/jid'
import { stampStanzaId } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import { z } from 'zod'
import { copiedStore, forgetCopied, rememberCopied, wasCopied } from './copied.ts'
import { isEligible } from './eligibility.ts'
import { carbonCopy, type Direction, NS_CARBONS, NS_CARBONS_RULES, stripCarbons } from './wire.ts'

/**
 * Message Carbons: keeps every device of an account in the conversation.
 *
 * Copies are for who is there: they have no mailbox row, and nobody is told when one is lost (§10.3).
 *
 * @see {@link https://xmpp.org/extensions/xep-0280.html | XEP-0280}
 */
export const carbons: XmppModule = defineModule({
  name: 'carbons',
  implements: [
    xep('0280', '1.0.1', {
      status: 'partial',
      note: 'A request about somebody else’s account gets service-unavailable instead of not-allowed, as for an account that does not exist. Copies of private messages in rooms go to all resources that asked for copies, not only to those in the room. An error is copied when it answers one of the last 32 messages that were.',
    }),
    xep('0297', '1.0'),
  ],
  features: {
    account: [NS_CARBONS, NS_CARBONS_RULES],
    domain: [NS_CARBONS, NS_CARBONS_RULES],
  },
  session: z.object({ enabled: z.boolean().default(false) }),
  stores: [copiedStore],

  setup({ iq, hooks, session }) {
    // §10.1: repeating a request is no error, so both are plain assignments.
    const toggle = (request: string, enabled: boolean): void =>
      iq.set('account', NS_CARBONS, request, ({ own, scope, session: asking }) => {
        requireOwn({ own })
        if (asking) session.update(scope, asking, { enabled })
        return undefined
      })
    toggle('enable', true)
    toggle('disable', false)

    hooks.rewrite('message.sending', stripCarbons)
    hooks.rewrite('message.receiving', stripCarbons)

    /** Delivers a copy to every resource that asked for copies, but those for which `has` says that they need none. */
    const copy = (
      scope: Scope,
      { message, direction, peer }: Copying,
      has: (resource: Session) => boolean,
    ): void => {
      const others = scope
        .sessions()
        .filter((other) => session.get(scope, other).enabled && !has(other))
      if (others.length === 0) return
      const answersEligible = (error: Stanza): boolean => wasCopied(scope, error.id, peer)
      if (!isEligible(message, direction, answersEligible)) return
      rememberCopied(scope, message.id, peer)
      const carbon = carbonCopy(message, direction, scope.entity)
      for (const other of others) scope.deliver(other, carbon, { to: other.jid })
    }

    hooks.on('message.received', ({ scope, message, reached, stored }) => {
      const peer = message.from
      copy(scope, { message, direction: 'received', peer }, (other) => {
        // Who sent it to the own account has it, too.
        if (other.jid === peer || reached.some(({ id }) => id === other.id)) return true
        if (!scope.mayGet(other, message)) return true
        // What waits in the mailbox will be the first thing that a resource gets when it is available.
        return stored && other.presence === undefined
      })
    })

    hooks.on('message.sent', ({ scope, session: sender, message, id }) => {
      // To the own account: copied when it was received.
      if (isOwn(scope, message.to)) return
      const stamped = stampStanzaId(message, { id, by: scope.entity })
      const copying: Copying = { message: stamped, direction: 'sent', peer: message.to }
      copy(scope, copying, (other) => other.id === sender.id)
    })

    hooks.on('session.ended', ({ scope }) => {
      if (scope.sessions().length === 0) forgetCopied(scope)
    })
  },
})

/** What is copied, and who the other side of the conversation is. */
interface Copying {
  readonly message: Stanza
  readonly direction: Direction
  readonly peer: string | undefined
}

function isOwn(scope: Scope, to: string | undefined): boolean {
  const jid = to === undefined ? undefined : tryParseJid(to)
  return jid === undefined || bare(jid) === scope.entity
}
