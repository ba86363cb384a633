import type { BoshAttributes, ResponseHeader } from '@tactus/stream'
import type { Settings } from '../settings.ts'
import type { PendingRequest } from './request.ts'
import type { BoshTerms } from './terms.ts'

/** What the answer that opens a stream says: of a new session all that was agreed on (XEP-0124 §7.2, XEP-0206 §4). */
export function creationAttributes(
  { sid, terms }: { readonly sid: string; readonly terms: BoshTerms },
  { from, id }: ResponseHeader,
  request: PendingRequest,
  { bosh }: Settings,
): BoshAttributes {
  if (request.body.attrs.sid !== undefined) return { 'xmpp:version': '1.0' }
  const { wait, hold, requests, ver, acks } = terms
  return {
    sid,
    wait,
    hold,
    requests,
    ver,
    from,
    polling: bosh.polling,
    inactivity: bosh.inactivity,
    maxpause: bosh.maxPause,
    charsets: 'UTF-8',
    ack: acks ? request.rid : undefined,
    authid: id,
    'xmpp:restartlogic': 'true',
    'xmpp:version': '1.0',
  }
}
