import type { Scope, Session, SessionPresence } from '@tactus/core'
import { iqRequest, NS_CLIENT, NS_DISCO_INFO } from '@tactus/stanza'
import { type Stanza, xml } from '@tactus/xml'
import { z } from 'zod'
import { type Announcement, announcementIn } from './announcement.ts'
import { interestsIn } from './wire.ts'

/** What is known of a resource's wishes; lives as long as its session. */
export interface InterestState {
  /** The capabilities that they were read from. */
  readonly caps: string
  /** Id of the question that is not answered yet. */
  readonly asked: string
  /** Nodes that it wants notifications of. */
  readonly nodes: readonly string[]
}

/** The same as it is declared. */
export const interestState: z.ZodType<InterestState> = z.object({
  caps: z.string().default(''),
  asked: z.string().default(''),
  nodes: z.array(z.string()).default([]),
})

/** Where interests are kept. */
export interface InterestPort {
  get(scope: Scope, session: Session): Readonly<InterestState>
  update(scope: Scope, session: Session, patch: Partial<InterestState>): void
}

const mostKnown = 2_000

/**
 * Which notifications the resources of an account want (XEP-0163 §4.2): their clients say so in their capabilities,
 * which are asked for once and then known by their hash, to everybody here.
 */
export class Interests {
  readonly #port: InterestPort
  /** By hash: the newest last. Derived, so it may be forgotten at any time. */
  readonly #known = new Map<string, readonly string[]>()

  constructor(port: InterestPort) {
    this.#port = port
  }

  /** Does this resource want to hear of that node? */
  wants(scope: Scope, session: Session, node: string): boolean {
    return session.presence !== undefined && this.#port.get(scope, session).nodes.includes(node)
  }

  of(scope: Scope, session: Session): readonly string[] {
    return this.#port.get(scope, session).nodes
  }

  /**
   * A resource is available, or said something new. Answers whether its wishes are known now and it has to be told what
   * it missed: it has just come, or wants something else than before.
   */
  announced(scope: Scope, session: Session, before: SessionPresence | undefined): boolean {
    const caps = session.presence && announcementIn(session.presence.stanza)
    const key = caps?.key ?? ''
    const state = this.#port.get(scope, session)
    if (state.caps === key) return before === undefined && state.nodes.length > 0
    const known = caps ? this.recall(key) : []
    if (known) {
      this.#port.update(scope, session, { caps: key, asked: '', nodes: [...known] })
      return known.length > 0
    }
    if (caps) this.#ask(scope, session, caps)
    return false
  }

  /** An answer came from a resource. Answers whether its wishes are known by that. */
  answered(scope: Scope, session: Session, answer: Stanza): boolean {
    const state = this.#port.get(scope, session)
    if (state.asked === '' || answer.id !== state.asked) return false
    const query = answer.type === 'result' ? answer.child('query', NS_DISCO_INFO) : undefined
    const caps = session.presence && announcementIn(session.presence.stanza)
    const verdict = query && caps?.key === state.caps ? caps.verify(query) : 'forged'
    const nodes = query && verdict !== 'forged' ? interestsIn(query) : []
    this.#port.update(scope, session, { asked: '', nodes: [...nodes] })
    if (verdict === 'verified') this.remember(state.caps, nodes)
    return nodes.length > 0
  }

  /** XEP-0060 §9.2 */
  #ask(scope: Scope, session: Session, { key, node }: Announcement): void {
    const id = scope.makeId()
    this.#port.update(scope, session, { caps: key, asked: id, nodes: [] })
    const query = xml('query', { xmlns: NS_DISCO_INFO, node })
    const attrs = {
      xmlns: NS_CLIENT,
      type: 'get',
      id,
      from: scope.entity,
      to: session.jid,
    } as const
    scope.deliver(session, iqRequest(attrs, query))
  }

  /** What is known of all that announce this. */
  recall(key: string): readonly string[] | undefined {
    const known = this.#known.get(key)
    if (known) this.remember(key, known)
    return known
  }

  /** SECURITY: only of what was verified. */
  remember(key: string, nodes: readonly string[]): void {
    this.#known.delete(key)
    this.#known.set(key, nodes)
    const oldest = this.#known.keys().next()
    if (this.#known.size > mostKnown && !oldest.done) this.#known.delete(oldest.value)
  }
}
