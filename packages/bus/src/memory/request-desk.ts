import { type Request, RequestFailed } from '../bus.ts'

type Handler = (request: Request) => Promise<unknown>

interface Asked {
  readonly request: Request
  settle(answer: Promise<unknown>): void
}

/** Requests on their way to the instance that answers them; they wait for it until their own timeout. */
export class RequestDesk {
  readonly #handlers = new Map<string, Handler>()
  readonly #waiting = new Map<string, Set<Asked>>()

  /** Hands `asked` over at once or when its instance begins to serve; answers how to forget it. */
  ask(instance: string, asked: Asked): () => void {
    const handler = this.#handlers.get(instance)
    if (handler) {
      asked.settle(answer(handler, asked.request))
      return () => {}
    }
    const waiting = this.#waiting.get(instance) ?? new Set()
    this.#waiting.set(instance, waiting.add(asked))
    return () => {
      waiting.delete(asked)
      if (waiting.size === 0) this.#waiting.delete(instance)
    }
  }

  serve(instance: string, handler: Handler): () => void {
    this.#handlers.set(instance, handler)
    for (const asked of this.#waiting.get(instance) ?? [])
      asked.settle(answer(handler, asked.request))
    this.#waiting.delete(instance)
    return () => {
      if (this.#handlers.get(instance) === handler) this.#handlers.delete(instance)
    }
  }
}

async function answer(handler: Handler, request: Request): Promise<unknown> {
  try {
    return await handler(request)
  } catch (error) {
    throw new RequestFailed(error instanceof Error ? error.message : String(error))
  }
}
