import {
  deferred,
  type IqRequest,
  type JobContext,
  type JobDefinition,
  type LiveStore,
  liveStore,
  type Scope,
} from '@tactus/core'
import { errorReply, iqResult, pageElement, readPageRequest, StanzaError } from '@tactus/stanza'
import { Stanza, xml } from '@tactus/xml'
import { type Found, findCards, type Search } from './store.ts'
import { itemElement, NS_SEARCH, readFields } from './wire.ts'

/** Bounds of searching. */
export interface SearchLimits {
  readonly page: number
  readonly letters: number
  readonly parallel: number
}

interface SearchSpec extends Search {
  readonly job: 'search'
  readonly request: Uint8Array
}

/** Searches of a directory that are under way, by their job. */
export const runningStore: LiveStore<true> = liveStore('user-search-running')

/** What a page of one search costs its account, in units of `Scope.charge`. */
const unitsPerSearch = 5

/**
 * Starts a search (XEP-0055 §2.1): a job, because it reads what may be a large directory.
 *
 * SECURITY: terms have a least length, so that it takes some knowledge of a person to find them.
 * @throws {StanzaError} `not-acceptable` for terms that are too short; `resource-constraint` when too many search
 */
export function startSearch(
  { scope, stanza, payload }: IqRequest,
  limits: SearchLimits,
): typeof deferred {
  const terms = readFields(payload)
  for (const term of Object.values(terms))
    if (term.replaceAll(/[%_\\]/g, '').length < limits.letters)
      throw new StanzaError('not-acceptable', `Search for ${limits.letters} letters or more.`)
  const page = readPageRequest(payload, { default: limits.page, max: limits.page })
  if (page.before !== undefined || page.index !== undefined)
    throw new StanzaError('feature-not-implemented', 'Pages are asked for forwards.')
  if (scope.all(runningStore).size >= limits.parallel) throw new StanzaError('resource-constraint')
  scope.charge(unitsPerSearch)
  const id = `user-search ${scope.makeId()}`
  const spec: SearchSpec = {
    job: 'search',
    request: stanza.bytes,
    directory: scope.entity,
    terms,
    after: page.after ?? '',
    max: page.max,
  }
  scope.set(runningStore, id, true)
  scope.job('user-search', id, spec)
  return deferred
}

/** The job of `startSearch`. */
export const searchJob: JobDefinition<SearchSpec, readonly Found[]> = {
  run: (spec: SearchSpec, { reader }: JobContext) => findCards(reader, spec),

  done(scope, { request, max }, result) {
    const { input } = scope.turn
    if (input.kind === 'job') scope.set(runningStore, input.id, undefined)
    const stanza = Stanza.parse(request)
    if (result.ok) answer(scope, stanza, result.value, max)
    else {
      const error = errorReply(stanza, new StanzaError('internal-server-error'))
      if (error) scope.send(error)
    }
  },
}

/** XEP-0059 §2.2: where there are more than the page has, its last item says where to go on. */
function answer(scope: Scope, request: Stanza, found: readonly Found[], max: number): void {
  const items = found.slice(0, max)
  const [first, last] = [items[0], items.at(-1)]
  const ends = first && last && { first: first.jid, last: last.jid }
  // §2.1: an empty query says that nobody was found.
  const page = ends && found.length > max ? [pageElement({ ends })] : []
  const elements = items.map(({ jid, card }) => itemElement(jid, card))
  scope.send(iqResult(request, xml('query', { xmlns: NS_SEARCH }, [...elements, ...page])))
}
