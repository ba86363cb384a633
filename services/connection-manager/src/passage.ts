import type { Half, Remote, StreamName } from '@tactus/bus'
import {
  componentStream,
  entityOf,
  partitionOf,
  partitionStream,
  shardOf,
  shardStream,
} from '@tactus/cluster'
import { bare, domainpart, type Jid, tryParseJid } from '@tactus/jid'
import { errorReply, StanzaError } from '@tactus/stanza'
import type { Stanza } from '@tactus/xml'
import type { Services } from './services.ts'

/** Passages that a stanza from outside may make here. */
const hops = 16

/** A stanza from outside, with its addresses. */
export interface Arrived {
  readonly stanza: Stanza
  readonly from: Jid
  readonly to: Jid
  /** Made of the stream that it came by and a number. */
  readonly id: string
}

/** A frame, and the stream that it belongs on. */
export interface Passage {
  readonly stream: StreamName
  readonly frame: Half | Remote
}

/**
 * The way of a stanza that comes from no entity of ours: into its recipient's partition, onto the shards of a component,
 * or onto those of another server.
 *
 * Whether it may go that way was asked before.
 */
export function passage(
  { hosts, env, settings }: Pick<Services, 'hosts' | 'env' | 'settings'>,
  { stanza, from, to, id }: Arrived,
): Passage {
  const shared = { stanza, id, at: env.clock.now(), durable: stanza.name === 'message' }
  const domain = domainpart(to)
  const isComponent = hosts.component(domain) !== undefined
  if (!isComponent && hosts.domainStatus(domain) === 'served') {
    const entity = bare(to)
    const stream = partitionStream(partitionOf(entity, settings.partitions))
    return { stream, frame: { kind: 'half', entity, ...shared, hops } }
  }
  const sender = domainpart(from)
  return {
    stream: isComponent
      ? componentStream(domain, entityOf(from))
      : shardStream(shardOf(sender, domain)),
    frame: { kind: 'remote', from: sender, to: domain, recipients: [to], ...shared },
  }
}

/** What goes back to the sender of a stanza that could not be handed over: an error for each recipient (RFC 6120 §8.3.1). */
export function errorInputs(
  services: Pick<Services, 'hosts' | 'env' | 'settings'>,
  { stanza, recipients, id }: Remote,
  { condition, text }: { readonly condition: StanzaError['condition']; readonly text: string },
): readonly Passage[] {
  // Nobody waits for an answer to a farewell.
  if (stanza.name === 'presence' && stanza.type === 'unavailable') return []
  const error = new StanzaError(condition, text)
  return recipients.flatMap((recipient, index) => {
    const reply = errorReply(stanza.with({ to: recipient }), error)
    const to = tryParseJid(reply?.to ?? '')
    const from = tryParseJid(recipient)
    if (!reply || !to || !from) return []
    return [passage(services, { stanza: reply, from, to, id: `${id}-e${index}` })]
  })
}
