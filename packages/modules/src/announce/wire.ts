import { NS_CLIENT } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'

/** What a host tells its own accounts of, within the server; no client is let through with it. */
export const NS_ANNOUNCE = 'urn:tactus:announce'

/** A message in the name of a host. */
export interface Said {
  readonly from: string
  readonly id: string
  readonly subject: string
  readonly text: string
}

/** For everybody: it waits for who is not there. */
export function noticeMessage({ from, id, subject, text }: Said, to?: string): XmlElement {
  return xml(
    'message',
    { xmlns: NS_CLIENT, from, to, id },
    subject !== '' && xml('subject', null, subject),
    xml('body', null, text),
  )
}

/** For who is there: RFC 6121 §5.2.2 has headlines kept for nobody. */
export function headlineMessage({ from, id, subject, text }: Said): XmlElement {
  return xml(
    'message',
    { xmlns: NS_CLIENT, from, id, type: 'headline' },
    subject !== '' && xml('subject', null, subject),
    xml('body', null, text),
  )
}

/** Tells accounts that their host has a message of the day; nobody answers it. */
export function motdRequest(from: string, id: string, motd: Pick<Said, 'id' | 'text'>): XmlElement {
  return xml(
    'iq',
    { xmlns: NS_CLIENT, from, id, type: 'set' },
    xml('motd', { xmlns: NS_ANNOUNCE, id: motd.id }, motd.text),
  )
}
