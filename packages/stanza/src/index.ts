export { NS_FRAMING, NS_STREAMS } from '@tactus/xml'
export {
  type ArchivedStanza,
  type ArchiveQuery,
  archiveFin,
  archiveMetadata,
  archiveQueryForm,
  archiveResult,
  fullTextField,
  NS_ARCHIVE,
  NS_ARCHIVE_EXTENDED,
  NS_ARCHIVE_GROUPCHAT,
  NS_FULL_TEXT,
  readArchiveQuery,
} from './archive.ts'
export {
  type DataForm,
  defaultFormLimits,
  type FieldOption,
  type FieldType,
  type FieldValidation,
  type FormField,
  type FormLimits,
  type FormType,
  findForm,
  formElement,
  formTypeField,
  formTypeOf,
  readForm,
} from './data-form.ts'
export { formatDateTime, parseDateTime } from './date-time.ts'
export { type Delay, delayElement, readDelay, stripDelays } from './delay.ts'
export {
  bareJidsField,
  booleanField,
  dateTimeField,
  type FieldDefinition,
  type FieldKind,
  type FormDefinition,
  type FormValues,
  integerField,
  jidField,
  jidsField,
  listField,
  listMultiField,
  missingFields,
  offerForm,
  readSubmission,
  resultForm,
  textField,
  textLinesField,
} from './form-field.ts'
export {
  type IqRequestOptions,
  type IqType,
  iqRequest,
  iqResult,
  iqType,
  isRequest,
  requestPayload,
} from './iq.ts'
export { type MessageType, messageBody, messageType } from './message.ts'
export * from './namespaces.ts'
export { type Order, orderFeatures, readOrder } from './order.ts'
export {
  isSubscriptionType,
  type PresenceShow,
  type PresenceType,
  presencePriority,
  presenceShow,
  presenceType,
  type SubscriptionType,
} from './presence.ts'
export {
  type PageLimits,
  type PageRequest,
  type PageSummary,
  pageElement,
  readPageRequest,
} from './result-set.ts'
export {
  errorReply,
  readStanzaError,
  type StanzaCondition,
  StanzaError,
  type StanzaErrorOptions,
  type StanzaErrorType,
} from './stanza-error.ts'
export { originId, type StanzaId, stampStanzaId, stanzaIdBy, stripStanzaIds } from './stanza-id.ts'
export { type StreamCondition, StreamError, type StreamErrorOptions } from './stream-error.ts'
export { childrenOf, withoutChildren } from './strip.ts'
export { jidOfUri, nodeOfUri } from './xmpp-uri.ts'
