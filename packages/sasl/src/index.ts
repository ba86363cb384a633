export { authorize } from './authorization.ts'
export { decodeBase64, encodeBase64 } from './base64.ts'
export {
  type CredentialOptions,
  type Credentials,
  type DecoyCredentials,
  type DecoyOptions,
  decoyCredentials,
  defaultIterations,
  deriveKeys,
  equalSecrets,
  type HashName,
  makeCredentials,
  makeCredentialsSync,
  type RandomBytes,
  type ScramKeys,
  verifyPassword,
} from './credentials.ts'
export type {
  ChannelBinding,
  Mechanism,
  SaslContext,
  SaslStep,
  SaslSuccess,
} from './mechanism.ts'
export { createMechanism, type OfferPolicy, offeredMechanisms } from './offer.ts'
export { type SaslCondition, SaslFailure } from './sasl-failure.ts'
