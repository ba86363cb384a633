export {
  type BoshAttributes,
  type BoshBody,
  NS_BOSH,
  readBoshBody,
  writeBoshBody,
} from './bosh-body.ts'
export { BoshFraming, BoshInput, type Opening } from './bosh-framing.ts'
export {
  boshNumber,
  highestRid,
  judgeRid,
  nextKey,
  type RidState,
  type RidVerdict,
} from './bosh-requests.ts'
export type { Effect, Outcome, StreamFeature } from './feature.ts'
export { legacySession } from './features/legacy-session.ts'
export {
  type RegistrationPolicy,
  registerResult,
  registration,
} from './features/registration.ts'
export { bindResult, resourceBinding } from './features/resource-binding.ts'
export { channelBindings, type SaslPort, sasl, withOffer } from './features/sasl.ts'
export { starttls, type TlsPolicy, tlsFailure } from './features/starttls.ts'
export {
  limitsElement,
  NS_STREAM_LIMITS,
  type StreamLimits,
  streamLimits,
} from './features/stream-limits.ts'
export {
  ackElement,
  ackRequest,
  countTooHigh,
  type EnableRequest,
  enabledElement,
  failedElement,
  readCount,
  readEnable,
  resumedElement,
  streamManagement,
} from './features/stream-management.ts'
export type { Farewell, Framing, StreamInput } from './framing.ts'
export { acceptHeader, type HeaderRules, type HostStatus, type ResponseHeader } from './header.ts'
export { featuresElement, isStanza, negotiate, unexpected } from './negotiate.ts'
export { standalone } from './standalone.ts'
export { type Authenticated, afterTls, initialState, type StreamState } from './state.ts'
export { type CountersStart, StreamCounters } from './stream-counters.ts'
export { tcpFraming } from './tcp-framing.ts'
export { websocketFraming } from './websocket-framing.ts'
