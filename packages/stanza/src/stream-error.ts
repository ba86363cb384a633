import { clone, NS_STREAMS, type XmlElement, xml } from '@tactus/xml'
import { NS_STREAM_ERRORS } from './namespaces.ts'

/** The defined conditions of RFC 6120 §4.9.3. */
export type StreamCondition =
  | 'bad-format'
  | 'bad-namespace-prefix'
  | 'conflict'
  | 'connection-timeout'
  | 'host-gone'
  | 'host-unknown'
  | 'improper-addressing'
  | 'internal-server-error'
  | 'invalid-from'
  | 'invalid-namespace'
  | 'invalid-xml'
  | 'not-authorized'
  | 'not-well-formed'
  | 'policy-violation'
  | 'remote-connection-failed'
  | 'reset'
  | 'resource-constraint'
  | 'restricted-xml'
  | 'see-other-host'
  | 'system-shutdown'
  | 'undefined-condition'
  | 'unsupported-encoding'
  | 'unsupported-feature'
  | 'unsupported-stanza-type'
  | 'unsupported-version'

/** What an error may say beyond its condition. */
export interface StreamErrorOptions extends ErrorOptions {
  /** The condition in an extension's own words (RFC 6120 §4.9.4). */
  readonly application?: XmlElement
  /** Where `see-other-host` points to, `host` or `host:port` (RFC 6120 §4.9.3.19). */
  readonly otherHost?: string
}

/** A fault after which a stream cannot go on: it is sent, then the stream is closed. */
export class StreamError extends Error {
  override readonly name = 'StreamError'
  readonly condition: StreamCondition
  readonly text: string | undefined
  readonly application: XmlElement | undefined
  readonly otherHost: string | undefined

  constructor(condition: StreamCondition, text?: string, options: StreamErrorOptions = {}) {
    super(text ?? condition, options)
    this.condition = condition
    this.text = text
    this.application = options.application
    this.otherHost = options.otherHost
  }

  /** The `<error/>` element in the namespace of streams; the framing picks its prefix. */
  toElement(): XmlElement {
    return xml(
      'error',
      { xmlns: NS_STREAMS },
      xml(this.condition, { xmlns: NS_STREAM_ERRORS }, this.otherHost),
      this.text !== undefined &&
        xml('text', { xmlns: NS_STREAM_ERRORS, 'xml:lang': 'en' }, this.text),
      this.application && clone(this.application),
    )
  }
}
