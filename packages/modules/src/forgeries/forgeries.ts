import { defineModule, type XmppModule } from '@tactus/core'
import { type BareJid, isFull, parseJid } from '@tactus/jid'
import { stripDelays } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import { isArchiveResult } from './wire.ts'

/**
 * Forgeries: takes out of messages what only a client's own server may say to it.
 *
 * SECURITY: clients have to look at who says it (XEP-0313 §11, XEP-0203 §4), and again and again some do not: then a
 * stranger puts words into anybody's mouth. What this server itself says of the kind takes no such way. Copies are the
 * carbons module's to take out.
 */
export const forgeries: XmppModule = defineModule({
  name: 'forgeries',
  implements: [],

  setup({ hooks }) {
    hooks.rewrite('message.receiving', (message, { scope }) => {
      const isForged = message.children.some(isArchiveResult) && !mayBeArchive(message)
      const genuine = isForged ? message.without(isArchiveResult) : message
      return stripDelays(genuine, [scope.entity, scope.host.name as BareJid])
    })
  },
})

/** Rooms and services answer from their archives, in their own name, to the resource that asked; resources never do. */
function mayBeArchive({ from, to }: Stanza): boolean {
  if (from === undefined || to === undefined) return false
  return !isFull(parseJid(from)) && isFull(parseJid(to))
}
