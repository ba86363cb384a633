import { domainpart, tryParseJid } from '@tactus/jid'
import { NS_DIALBACK, NS_SERVER, StreamError } from '@tactus/stanza'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'
import type { IncomingPorts } from './incoming.ts'

/** What dialback on an incoming stream asks of it. */
export interface DialbackStream {
  readonly ports: Pick<
    IncomingPorts,
    'status' | 'speaks' | 'unverifiedAllowed' | 'isOurKey' | 'verify' | 'decided' | 'tlsRequired'
  >
  readonly streamId: string
  readonly isEncrypted: boolean
  readonly isOpen: boolean
  /** Pairs that were proved. */
  readonly proved: ReadonlyMap<string, unknown>
  send(element: XmlElement): void
  fail(error: StreamError): void
  /** Finds out whether the certificate is that of a domain; then `proves` tells. */
  learn(remote: string, local: string): Promise<void>
  proves(remote: string, local: string): boolean
  prove(remote: string, local: string): void
}

/** Pairs of domains of one stream at most (XEP-0220 §2.5), and how many may be asked about at a time. */
const mostPairs = 64
const mostAsked = 8

/** Dialback on a stream that another server opened (XEP-0220): it shows keys, and asks about those that it was shown. */
export class IncomingDialback {
  readonly #stream: DialbackStream
  readonly #asked = new Set<string>()

  constructor(stream: DialbackStream) {
    this.#stream = stream
  }

  element(element: Stanza): void {
    const { name, attrs } = element
    const { ports, isEncrypted } = this.#stream
    if (ports.tlsRequired && !isEncrypted) throw new StreamError('policy-violation', 'Use TLS.')
    // Answers come on streams that we opened (V33).
    if (attrs.type !== undefined)
      throw new StreamError('policy-violation', 'Nobody asked for this.')
    const from = domainOf(attrs.from)
    const to = domainOf(attrs.to)
    if (from === undefined || to === undefined) throw new StreamError('improper-addressing')
    const key = element.element.text()
    if (name === 'verify') return this.#answer(from, to, attrs.id ?? '', key)
    if (name === 'result') return this.#ask(from, to, key)
    throw new StreamError('unsupported-stanza-type')
  }

  /** XEP-0220 §2.2.2: somebody was shown a key, and asks whether it is ours. Any instance can tell. */
  #answer(from: string, to: string, id: string, key: string): void {
    const isServed = this.#stream.ports.status(to) === 'served'
    if (!isServed) return this.#say('verify', { from, to, id }, 'item-not-found')
    const type = this.#stream.ports.isOurKey(to, from, id, key) ? 'valid' : 'invalid'
    this.#stream.send(xml('verify', { xmlns: NS_DIALBACK, from: to, to: from, id, type }))
  }

  /** XEP-0220 §2.2.1: the key says who opened this stream; only its domain's own server knows whether that is true. */
  #ask(remote: string, local: string, key: string): void {
    const pair = { from: remote, to: local }
    // §2.4.2: what is wrong with one pair is no reason to close a stream that carries others.
    if (this.#stream.ports.status(local) !== 'served')
      return this.#say('result', pair, 'item-not-found')
    if (!this.#stream.ports.speaks(local, remote)) return this.#say('result', pair, 'not-allowed')
    const name = `${remote} ${local}`
    if (this.#stream.proved.has(name)) return this.#valid(remote, local)
    if (this.#asked.has(name)) return
    if (this.#stream.proved.size >= mostPairs || this.#asked.size >= mostAsked)
      return this.#say('result', pair, 'resource-constraint')
    this.#asked.add(name)
    void this.#decide(remote, local, key).finally(() => this.#asked.delete(name))
  }

  async #decide(remote: string, local: string, key: string): Promise<void> {
    await this.#stream.learn(remote, local)
    // XEP-0344 §2.4: the certificate says it already, and better.
    if (this.#stream.proves(remote, local)) return this.#proved(remote, local)
    const verdict = await this.#stream.ports.verify({
      remote,
      local,
      streamId: this.#stream.streamId,
      key,
    })
    if (!this.#stream.isOpen) return
    const pair = { from: remote, to: local }
    if (verdict.kind === 'error') {
      this.#stream.ports.decided('dialback', verdict.condition)
      return this.#say('result', pair, verdict.condition)
    }
    const isProved =
      verdict.kind === 'valid' &&
      (verdict.verified ||
        this.#stream.proves(remote, local) ||
        this.#stream.ports.unverifiedAllowed(local, remote))
    if (isProved) return this.#proved(remote, local)
    this.#stream.ports.decided('dialback', verdict.kind === 'valid' ? 'unverified' : 'invalid')
    // The key is right, but anybody who can lie about the DNS could have made it so.
    if (verdict.kind === 'valid') return this.#say('result', pair, 'policy-violation')
    this.#stream.send(
      xml('result', { xmlns: NS_DIALBACK, from: local, to: remote, type: 'invalid' }),
    )
    if (this.#stream.proved.size === 0) this.#stream.fail(new StreamError('not-authorized'))
  }

  #proved(remote: string, local: string): void {
    if (!this.#stream.isOpen) return
    this.#stream.ports.decided('dialback', 'success')
    this.#stream.prove(remote, local)
    this.#valid(remote, local)
  }

  #valid(remote: string, local: string): void {
    this.#stream.send(xml('result', { xmlns: NS_DIALBACK, from: local, to: remote, type: 'valid' }))
  }

  #say(
    name: 'result' | 'verify',
    { from, to, id }: { readonly from: string; readonly to: string; readonly id?: string },
    condition: string,
  ): void {
    const error = xml(
      'error',
      { xmlns: NS_SERVER, type: 'cancel' },
      xml(condition, { xmlns: 'urn:ietf:params:xml:ns:xmpp-stanzas' }),
    )
    const attrs = { xmlns: NS_DIALBACK, from: to, to: from, id, type: 'error' }
    this.#stream.send(xml(name, attrs, error))
  }
}

function domainOf(text: string | undefined): string | undefined {
  const jid = text === undefined ? undefined : tryParseJid(text)
  return jid !== undefined && domainpart(jid) === jid ? jid : undefined
}
