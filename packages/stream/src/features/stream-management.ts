import { NS_STANZA_ERRORS, NS_STREAM_MANAGEMENT, type StanzaCondition } from '@tactus/stanza'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'
import type { StreamFeature } from '../feature.ts'
import { unexpected } from '../negotiate.ts'
import type { StreamState } from '../state.ts'

/** The longest id of a session that anybody is given; what is longer is none of ours. */
const maxIdLength = 64

/**
 * Stream management before there is a session: resuming one, instead of binding.
 *
 * Enabling comes after binding and is the session's.
 *
 * @see XEP-0198 §5
 */
export function streamManagement(): StreamFeature {
  const offered = (state: StreamState): boolean =>
    state.authenticated !== undefined && !state.binding
  return {
    name: 'stream-management',
    advertise: (state) => (offered(state) ? xml('sm', { xmlns: NS_STREAM_MANAGEMENT }) : undefined),
    claims: (element) => element.ns === NS_STREAM_MANAGEMENT,
    negotiate(state, request) {
      if (request.name !== 'resume' && request.name !== 'enable') throw unexpected(request)
      // §3, §5: <enable/> before binding, or anything before authentication, is out of place.
      if (request.name === 'enable' || !offered(state))
        return { state, send: [failedElement('unexpected-request')] }
      const session = request.attrs.previd ?? ''
      const h = readCount(request)
      if (h === undefined) return { state, send: [failedElement('bad-request')] }
      if (session === '' || session.length > maxIdLength)
        return { state, send: [failedElement('item-not-found')] }
      return { state, send: [], effect: { kind: 'resume', session, h } }
    },
  }
}

/** The `h` of an element, an unsigned integer of 32 bits; undefined when it is none. */
export function readCount(element: Stanza): number | undefined {
  const text = element.attrs.h ?? ''
  if (!/^\d{1,10}$/.test(text)) return undefined
  const count = Number(text)
  return count < 2 ** 32 ? count : undefined
}

/** What `<enable/>` asks for (§3). */
export interface EnableRequest {
  readonly resume: boolean
  /** Seconds. */
  readonly max: number | undefined
}

/** Reads `<enable/>`; what cannot be read counts as not said. */
export function readEnable({ attrs }: Stanza): EnableRequest {
  const max = /^\d{1,9}$/.test(attrs.max ?? '') ? Number(attrs.max) : undefined
  return { resume: attrs.resume === 'true' || attrs.resume === '1', max }
}

/** The answer to `<enable/>` (§3); without an id nothing can be resumed. */
export function enabledElement(id: string | undefined, max: number | undefined): XmlElement {
  return xml('enabled', {
    xmlns: NS_STREAM_MANAGEMENT,
    id,
    resume: id === undefined ? undefined : 'true',
    max: max === undefined ? undefined : String(max),
  })
}

/** The refusal of `<enable/>` or `<resume/>` (§3, §5), with the count where it is known. */
export function failedElement(condition: StanzaCondition, h?: number): XmlElement {
  return xml(
    'failed',
    { xmlns: NS_STREAM_MANAGEMENT, h: h === undefined ? undefined : String(h) },
    xml(condition, { xmlns: NS_STANZA_ERRORS }),
  )
}

/** The answer to `<resume/>` (§5). */
export function resumedElement(previd: string, h: number): XmlElement {
  return xml('resumed', { xmlns: NS_STREAM_MANAGEMENT, previd, h: String(h) })
}

/** What we have handled (§4). */
export function ackElement(h: number): XmlElement {
  return xml('a', { xmlns: NS_STREAM_MANAGEMENT, h: String(h) })
}

/** Asks what the peer has handled (§4). */
export function ackRequest(): XmlElement {
  return xml('r', { xmlns: NS_STREAM_MANAGEMENT })
}

/** Says inside a stream error that the peer claims to have handled what was never sent (§4). */
export function countTooHigh(h: number, sent: number): XmlElement {
  return xml('handled-count-too-high', {
    xmlns: NS_STREAM_MANAGEMENT,
    h: String(h),
    'send-count': String(sent),
  })
}
