import type { Stanza } from '@tactus/xml'
import type { Decisions, Duties, Facts, Rewrites } from './hook-points.ts'
import type { Order } from './module.ts'

type AnyHandler = (...values: never[]) => unknown
interface Registration {
  readonly module: string
  readonly handler: AnyHandler
  readonly order: Order
}

/**
 * The handlers of all hooks, ordered by module names (style §5).
 *
 * Registration happens at boot only; `seal` sorts once, so that firing is a plain loop.
 */
export class Hooks {
  readonly #registered = new Map<string, Registration[]>()
  #sealed = new Map<string, readonly AnyHandler[]>()

  add(point: string, registration: Registration): void {
    const list = this.#registered.get(point) ?? []
    list.push(registration)
    this.#registered.set(point, list)
  }

  /** Adds the one module that does a duty. @throws {Error} when it is taken */
  claim(point: keyof Duties, module: string, handler: AnyHandler): void {
    const taken = this.#registered.get(point)?.[0]
    if (taken) throw new Error(`modules ${taken.module} and ${module} both claim ${point}`)
    this.add(point, { module, handler, order: {} })
  }

  /** Sorts every chain. @throws {Error} on a cycle, naming the modules */
  seal(): void {
    this.#sealed = new Map(
      [...this.#registered].map(([point, list]) => [point, sortByOrder(point, list)]),
    )
  }

  /** Module names of a chain in the order they run, for people. */
  chain(point: string): readonly string[] {
    const sealed = this.#sealed.get(point) ?? []
    const list = this.#registered.get(point) ?? []
    return sealed.map((handler) => list.find((entry) => entry.handler === handler)?.module ?? '?')
  }

  fact<K extends keyof Facts>(point: K, event: Facts[K]): void {
    for (const handler of this.#of<(event: Facts[K]) => void>(point)) handler(event)
  }

  decide<K extends keyof Decisions>(point: K, event: Decisions[K]): void {
    for (const handler of this.#of<(event: Decisions[K]) => void>(point)) handler(event)
  }

  rewrite<K extends keyof Rewrites>(point: K, stanza: Stanza, event: Rewrites[K]): Stanza {
    let result = stanza
    for (const handler of this.#of<(stanza: Stanza, event: Rewrites[K]) => Stanza>(point))
      result = handler(result, event)
    return result
  }

  /** False when no module does this duty. */
  duty<K extends keyof Duties>(point: K, event: Duties[K]): boolean {
    const [handler] = this.#of<(event: Duties[K]) => void>(point)
    handler?.(event)
    return handler !== undefined
  }

  #of<H>(point: string): readonly H[] {
    return (this.#sealed.get(point) ?? []) as unknown as readonly H[]
  }
}

/** Depth-first topological sort that keeps the catalogue's order where nothing else is asked for. */
function sortByOrder(point: string, list: readonly Registration[]): AnyHandler[] {
  const sorted: AnyHandler[] = []
  const state = new Map<Registration, 'open' | 'done'>()
  const comesFirst = (entry: Registration): Registration[] =>
    list.filter(
      (other) =>
        other !== entry &&
        (entry.order.after?.includes(other.module) || other.order.before?.includes(entry.module)),
    )
  const visit = (entry: Registration, path: readonly string[]): void => {
    if (state.get(entry) === 'done') return
    const trail = [...path, entry.module]
    if (state.get(entry) === 'open')
      throw new Error(`hook ${point}: modules wait for each other: ${trail.join(' after ')}`)
    state.set(entry, 'open')
    for (const other of comesFirst(entry)) visit(other, trail)
    state.set(entry, 'done')
    sorted.push(entry.handler)
  }
  for (const entry of list) visit(entry, [])
  return sorted
}
