export { domainToAscii, prepareDomainpart } from './domainpart.ts'
export { escapeLocalpart, unescapeLocalpart } from './escape.ts'
export {
  type BareJid,
  bare,
  domainpart,
  type FullJid,
  isBare,
  isFull,
  type Jid,
  localpart,
  makeJid,
  parseBareJid,
  parseFullJid,
  parseJid,
  resourcepart,
  tryParseJid,
  withResource,
} from './jid.ts'
export { JidError, type JidPart } from './jid-error.ts'
export { prepareLocalpart, prepareOpaqueString, prepareResourcepart } from './prep.ts'
