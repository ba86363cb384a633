import type { JobDefinition, Scope } from '@tactus/core'
import { type PageSummary, pageElement } from '@tactus/stanza'
import { type Reader, selectByKeys } from '@tactus/storage'
import { parseElement, type XmlElement, xml } from '@tactus/xml'
import { deliverPayloads, settingOf } from './fields.ts'
import { answerLater, type Reply, refuseLater } from './later.ts'
import {
  deliverOrSend,
  messageTypeOf,
  type OldItem,
  oldItemMessage,
  replyAddress,
} from './notify.ts'
import { wantsStill } from './options.ts'
import type { Node, Service } from './service.ts'
import { type ItemEntry, itemKey, tables } from './store.ts'
import { versionMap } from './versions.ts'
import { pubsubElement } from './wire.ts'

/** An item whose payload is wanted. */
export interface Wanted {
  readonly node: string
  readonly seq: number
  readonly id: string
  /** As the node tells of it. */
  readonly publisher: string | undefined
  /** It has one; none can be found where the item went meanwhile. */
  readonly full: boolean
}

type Spec = {
  readonly job: 'fetch'
  readonly entity: string
} & (
  | {
      readonly kind: 'answer'
      readonly node: string
      readonly list: readonly Wanted[]
      readonly reply: Reply
      readonly summary: PageSummary | undefined
      /** Items tell their versions. */
      readonly versions: boolean
    }
  | {
      readonly kind: 'last'
      readonly list: readonly (Wanted & OldItem)[]
      readonly to: string
      /** The subscription by which they come; undefined where they come by presence. */
      readonly subid: string | undefined
    }
)

/** Reads items and answers a request with them. */
export function answerWithItems(
  node: Node,
  entries: readonly ItemEntry[],
  { reply, summary }: { readonly reply: Reply; readonly summary: PageSummary | undefined },
): void {
  const list = entries.map((entry) => wanted(node, entry))
  const { versions } = node.service.limits
  note(node.service, { kind: 'answer', node: node.name, list, reply, summary, versions })
}

/** Reads items and sends each to an address, as notifications of what was there before. */
export function sendItems(
  service: Service,
  to: string,
  items: readonly { readonly node: Node; readonly entry: ItemEntry }[],
  subid?: string,
): void {
  const list = items.map(({ node, entry }) => ({
    ...wanted(node, entry),
    at: entry.at,
    type: messageTypeOf(node),
    shown: settingOf(node.config, deliverPayloads),
  }))
  if (list.length > 0) note(service, { kind: 'last', list, to, subid })
}

/** An item of a node as one whose payload is wanted. */
export function wanted(node: Node, { seq, id, publisher, bytes }: ItemEntry): Wanted {
  return {
    ...{ node: node.name, seq, id, full: bytes > 0 },
    publisher: replyAddress(node, publisher),
  }
}

/** Payloads are read beside the steps (design §5): what is to be done with them comes back as an input. */
function note({ scope }: Service, what: DistributiveOmit<Spec, 'job' | 'entity'>): void {
  scope.job('pubsub', `pubsub fetch ${scope.makeId()}`, {
    job: 'fetch',
    entity: scope.entity,
    ...what,
  })
}

/** The texts of these payloads, in the same order. */
export async function readPayloads(
  reader: Reader,
  entity: string,
  list: readonly Wanted[],
): Promise<readonly (string | undefined)[]> {
  const keys = list.map(({ node, seq }) => [entity, node, seq])
  const rows = await selectByKeys(reader, tables.payloads, itemKey, keys)
  const texts = new Map(rows.map(({ node, seq, xml: text }) => [`${node}\0${seq}`, String(text)]))
  return list.map(({ node, seq }) => texts.get(`${node}\0${seq}`))
}
type DistributiveOmit<T, K extends keyof T> = T extends unknown ? Omit<T, K> : never

/** The job behind it. */
export const fetchJob: JobDefinition<Spec, readonly (string | undefined)[]> = {
  run: ({ entity, list }, { reader }) => readPayloads(reader, entity, list),

  done(scope, spec, result) {
    if (spec.kind === 'answer') answer(scope, spec, result)
    else if (result.ok) send(scope, spec, result.value)
  },
}

function send(
  scope: Scope,
  { list, to, subid }: Extract<Spec, { kind: 'last' }>,
  texts: readonly (string | undefined)[],
): void {
  list.forEach((item, index) => {
    const payload = parsedPayload(texts[index])
    if (item.full && !payload) return
    if (subid !== undefined && !wantsStill(scope, item.node, subid)) return
    const message = oldItemMessage(scope, { ...item, payload: item.shown ? payload : undefined })
    deliverOrSend(scope, to, message)
  })
}

type Result = Parameters<typeof fetchJob.done>[2]

function answer(scope: Scope, spec: Extract<Spec, { kind: 'answer' }>, result: Result): void {
  if (!result.ok) return refuseLater(scope, spec.reply)
  const found = spec.list
    .map((each, index) => ({ ...each, payload: parsedPayload(result.value[index]) }))
    .filter(({ full, payload }) => !full || payload)
  const items = found.map(({ id, publisher, payload }) => xml('item', { id, publisher }, payload))
  const page = spec.summary && pageElement(spec.summary)
  const content = pubsubElement(
    xml('items', { node: spec.node }, items, spec.versions ? versionMap(found) : undefined),
    page,
  )
  answerLater(scope, spec.reply, content)
}

/** A payload as it was stored. */
export function parsedPayload(text: string | undefined): XmlElement | undefined {
  return text === undefined ? undefined : parseElement(text)
}
