import type { IqAnswer, IqRegistry, IqRequest, Target } from './module.ts'

type IqHandler = (request: IqRequest) => IqAnswer

/** IQ handlers by type, target, payload namespace and name. A second handler for the same is refused at boot. */
export class IqDispatch {
  readonly #handlers = new Map<string, { readonly module: string; readonly handler: IqHandler }>()

  /** The registry that one module registers through. */
  registry(module: string): IqRegistry {
    const register =
      (type: 'get' | 'set') =>
      (target: Target | 'any', ns: string, name: string, handler: IqHandler): void => {
        const key = `${type} ${target} ${name} ${ns}`
        const taken = this.#handlers.get(key)
        if (taken) throw new Error(`modules ${taken.module} and ${module} both handle iq ${key}`)
        this.#handlers.set(key, { module, handler })
      }
    return { get: register('get'), set: register('set') }
  }

  find(type: string, target: Target, ns: string, name: string): IqHandler | undefined {
    const key = (of: Target | 'any'): string => `${type} ${of} ${name} ${ns}`
    return (this.#handlers.get(key(target)) ?? this.#handlers.get(key('any')))?.handler
  }
}
