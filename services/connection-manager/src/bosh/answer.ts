import { type BoshAttributes, writeBoshBody } from '@tactus/stream'

/** What becomes of a request. */
export type BoshAnswer =
  | {
      readonly kind: 'body'
      readonly text: string
      readonly content: string
      /** Of HTTP; another than 200 for clients that know no other errors. */
      readonly status: number
      /** Whether it comes from a session of an account. */
      readonly isBound: boolean
    }
  /** The session is held by another instance now. */
  | { readonly kind: 'elsewhere' }
  /** Nothing can be said at the moment: the request is to be repeated. */
  | { readonly kind: 'unavailable' }

/** Terminal conditions of XEP-0124 §17.2. */
export type BoshCondition =
  | 'bad-request'
  | 'host-gone'
  | 'host-unknown'
  | 'improper-addressing'
  | 'internal-server-error'
  | 'item-not-found'
  | 'other-request'
  | 'policy-violation'
  | 'remote-connection-failed'
  | 'remote-stream-error'
  | 'see-other-uri'
  | 'system-shutdown'

/** §17.1: what these are for clients that named no version. */
const legacy: Readonly<Partial<Record<BoshCondition, number>>> = {
  'bad-request': 400,
  'policy-violation': 403,
  'item-not-found': 404,
}

/** Of a session, as far as it shapes what is answered. */
export interface Spoken {
  readonly content: string
  readonly ver: string | undefined
}

/** Where nothing was agreed on. */
export const unspoken: Spoken = { content: 'text/xml; charset=utf-8', ver: '1.0' }

/** A body as an answer. */
export function bodyAnswer(text: string, { content }: Spoken, isBound = false): BoshAnswer {
  return { kind: 'body', text, content, status: 200, isBound }
}

/** The body that ends a session, with why, unless the client asked for it. */
export function terminalBody(condition?: BoshCondition, payload = ''): string {
  const attrs: BoshAttributes = { type: 'terminate', condition }
  return writeBoshBody(attrs, payload)
}

/** The end of a session, or of what would have become one. */
export function terminal(condition: BoshCondition, spoken: Spoken, payload = ''): BoshAnswer {
  const status = spoken.ver === undefined ? (legacy[condition] ?? 200) : 200
  return { ...bodyAnswer(terminalBody(condition, payload), spoken), status } as BoshAnswer
}

/** §17.2: where to go instead. */
export function seeOther(uri: string, spoken: Spoken): BoshAnswer {
  return terminal('see-other-uri', spoken, `<uri>${uri}</uri>`)
}
