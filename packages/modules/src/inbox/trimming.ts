import type { JobContext, JobDefinition, Scope } from '@tactus/core'
import type { BareJid } from '@tactus/jid'
import { type InboxPlace, inboxStore, superfluousConversations } from '@tactus/storage'

/** New conversations for each look at how many there are, on the average. */
const newPerLook = 16
/** Conversations that are taken out in one step. */
const portion = 200

interface TrimSpec {
  readonly job: 'trim'
  readonly account: BareJid
  readonly kept: number
}

/**
 * Looks now and then whether an inbox has more conversations than it is to keep: a stranger may write from any number of
 * addresses. Asked for with every new conversation, and by chance, so that nothing has to be counted or remembered.
 */
export function maybeTrim(scope: Scope, kept: number): void {
  const [chance = 0] = scope.random(1)
  if (chance % newPerLook === 0) trim(scope, kept)
}

function trim(scope: Scope, kept: number): void {
  const spec: TrimSpec = { job: 'trim', account: scope.entity, kept }
  scope.job('inbox', 'inbox-trim', spec)
}

/** Takes out the conversations that were quiet for the longest time; the archive keeps what was said in them. */
export const trimJob: JobDefinition<TrimSpec, readonly InboxPlace[]> = {
  run: ({ account, kept }: TrimSpec, { reader }: JobContext) =>
    superfluousConversations(reader, account, kept, portion),

  done(scope, { kept }, result) {
    const quiet = result.ok ? result.value : []
    // It may have gone on in the meantime.
    for (const { peer, at } of quiet)
      if (scope.get(inboxStore, peer)?.at === at) scope.set(inboxStore, peer, undefined)
    if (quiet.length === portion) trim(scope, kept)
  },
}
