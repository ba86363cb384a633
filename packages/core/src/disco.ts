import type { Jid } from '@tactus/jid'
import type { Host } from './hosts.ts'
import type {
  DiscoContribution,
  DiscoItem,
  DiscoNode,
  DiscoNodeQuery,
  Identity,
  ModuleContext,
  Target,
  XmppModule,
} from './module.ts'
import type { Scope } from './scope.ts'

type DiscoApi = ModuleContext<unknown, unknown, Record<never, never>>['disco']
type InfoContributor = Parameters<DiscoApi['info']>[1]
type ItemsContributor = Parameters<DiscoApi['items']>[1]
type NodeContributor = Parameters<DiscoApi['node']>[1]

/** What is served here, as the modules declared and contributed it (XEP-0030). */
export class Disco implements DiscoApi {
  readonly #modules: readonly XmppModule[]
  readonly #info: { readonly target: Target; readonly contribute: InfoContributor }[] = []
  readonly #items: { readonly target: Target; readonly contribute: ItemsContributor }[] = []
  readonly #nodes: { readonly target: Target; readonly contribute: NodeContributor }[] = []

  constructor(modules: readonly XmppModule[]) {
    this.#modules = modules
  }

  info(target: Target, contribute: InfoContributor): void {
    this.#info.push({ target, contribute })
  }

  items(target: Target, contribute: ItemsContributor): void {
    this.#items.push({ target, contribute })
  }

  node(target: Target, contribute: NodeContributor): void {
    this.#nodes.push({ target, contribute })
  }

  describeNode(target: Target, query: DiscoNodeQuery): DiscoNode | undefined {
    for (const entry of this.#nodes) {
      const node = entry.target === target ? entry.contribute(query) : undefined
      if (node) return node
    }
    return undefined
  }

  describe(
    target: Target,
    scope: Scope,
    from: Jid,
    host: Host = scope.host,
  ): ReturnType<DiscoApi['describe']> {
    const event = { scope, host, from, account: target === 'account' ? scope.entity : undefined }
    const contributions: DiscoContribution[] = this.#info
      .filter((entry) => entry.target === target)
      .map(({ contribute }) => contribute(event))
    const identities: Identity[] = [
      ...this.#modules.flatMap((module) => module.identities[target] ?? []),
      ...contributions.flatMap((contribution) => contribution.identities ?? []),
    ]
    const features = new Set<string>([
      ...this.#modules.flatMap((module) => module.features[target] ?? []),
      ...contributions.flatMap((contribution) => contribution.features ?? []),
    ])
    return {
      identities,
      features: [...features].sort(),
      forms: contributions.flatMap((contribution) => contribution.forms ?? []),
    }
  }

  list(target: Target, scope: Scope, from: Jid, host: Host = scope.host): readonly DiscoItem[] {
    return this.#items
      .filter((entry) => entry.target === target)
      .flatMap(({ contribute }) => contribute({ scope, host, from }))
  }
}
